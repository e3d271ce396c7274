/* Every kind of record; its number is its place. What stands after `__` tells two layouts of one kind apart. */
#pragma once
#define KINDS(EACH) \
  EACH(state) EACH(reset_sent__answer) EACH(reset_sent__active) EACH(reset_received) EACH(retransmit) EACH(synack_retransmit) EACH(destroy) EACH(error) \
  EACH(drop) EACH(accept_queue) EACH(conn_request) EACH(child_refused) EACH(cookie_check) EACH(syn_flood) EACH(no_route_reply) EACH(request_removed) \
  EACH(listen_stop) EACH(child_forgotten) EACH(accept) EACH(close) EACH(disconnect) EACH(abort) EACH(out_of_memory) EACH(challenge_ack) EACH(reset_active) \
  EACH(reset_answer) EACH(time_wait) EACH(minisock_alloc) EACH(minisock_start) EACH(minisock_kill) EACH(minisock_packet) EACH(walk__socket) EACH(walk__packet) \
  EACH(state__plain) EACH(reset_sent__plain) EACH(reset_received__plain) EACH(retransmit__plain) EACH(synack_retransmit__plain) EACH(destroy__plain) \
  EACH(error__plain)

#define KIND(name) KIND_##name,
enum { KINDS(KIND) KIND_COUNT };
#undef KIND
