# shellcheck shell=sh disable=SC2034
# The command line.

number() { # OPTION VALUE LOW HIGH
  case $2 in '' | *[!0-9]*) wrong "$1 wants a number, not '$2'" ;; esac
  [ "${#2}" -le 9 ] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || wrong "$1 wants a number from $3 to $4, not '$2'"
}
address() { # VALUE
  case $1 in '' | *[!0-9A-Fa-f:.]*) wrong "--host wants an IPv4 or IPv6 address, not '$1'" ;; esac
  PORTS='' HOSTS=$1 LOOPBACK='' awk -f "$here/packets.awk" > /dev/null || wrong "--host wants an IPv4 or IPv6 address, not '$1'"
}
bytes_of() { # OPTION SIZE
  case $2 in
    *[Kk]) number "$1" "${2%?}" 1 999999999; echo $((${2%?} * 1024)) ;;
    *[Mm]) number "$1" "${2%?}" 1 999999; echo $((${2%?} * 1048576)) ;;
    *[Gg]) number "$1" "${2%?}" 1 9999; echo $((${2%?} * 1073741824)) ;;
    *) number "$1" "$2" 1 999999999; echo "$2" ;;
  esac
}
# Seconds of 30s, 10m (minutes), 2h; nothing for what is no time.
seconds_of() {
  case $1 in
    *s) unit=1 ;; *m) unit=60 ;; *h) unit=3600 ;; *) return ;;
  esac
  case ${1%?} in '' | *[!0-9]* | ??????*) return ;; esac
  echo $((${1%?} * unit))
}

# Sets the options; OPTIONS is how many words they were.
read_options() {
  OPTIONS=$#
  dir='' ports='' hosts='' probes='' netns='' interface=any duration='' max_size=1G walk='' snaplen=128 sockets_every=0 dry_run='' has_command=''
  ring='' ring_seconds='' triggers='' freeze=''
  while [ $# -gt 0 ]; do
    case $1 in
      -o | --port | --host | --probe | -i | --duration | --max-size | --sockets-interval | --ring | --trigger)
        [ $# -gt 1 ] || wrong "$1 wants a value"
        case $1 in
          -o) dir=$2 ;;
          --port) number --port "$2" 1 65535; ports="$ports $2" ;;
          --host) address "$2"; hosts="$hosts $2" ;;
          --probe) case $2 in '' | *[!a-z-]*) wrong "--probe wants the name of a probe, not '$2'" ;; esac; probes="$probes $2" ;;
          -i) interface=$2 ;;
          --duration) number --duration "$2" 1 31536000; duration=$2 ;;
          --max-size) max_size=$2 ;;
          --sockets-interval) number --sockets-interval "$2" 0 86400; sockets_every=$2 ;;
          --ring) ring=$2 ;;
          --trigger) trigger "$2"; triggers="$triggers $2" ;;
        esac
        shift ;;
      --netns) netns=1 ;;
      --walk) walk=1 ;;
      --payload) snaplen=0 ;;
      --dry-run) dry_run=1 ;;
      --freeze) freeze=1 ;;
      -h | --help) usage; exit 0 ;;
      --version) echo "$VERSION"; exit 0 ;;
      --) has_command=1; shift; break ;;
      *) wrong "what is '$1'?" ;;
    esac
    shift
  done
  OPTIONS=$((OPTIONS - $#))
  ports=${ports# } hosts=${hosts# } triggers=${triggers# }
  [ -n "$dir" ] || [ -n "$dry_run" ] || wrong '-o DIR is missing'
  [ -z "$has_command" ] || [ $# -gt 0 ] || wrong 'no COMMAND after --'
  [ -z "$has_command" ] || [ -z "$ring" ] || wrong '--ring goes on until it is ended: it takes no COMMAND'
  [ -z "$triggers" ] || [ -n "$ring" ] || wrong '--trigger belongs to --ring'
  max_bytes=$(bytes_of --max-size "$max_size") || exit 1
  [ "$max_bytes" -ge 1048576 ] || wrong "--max-size wants 1M or more, not '$max_size'"
  [ -z "$ring" ] || ring_options
  duration=${duration:-600}
}
