/**
 * What TCP's newer reasons for a drop mean (include/net/dropreason-core.h; read in source, see docs/kernels.md). By name only:
 * their numbers differ from kernel to kernel.
 */
const MEANINGS: Readonly<Record<string, string>> = {
  TCP_RFC7323_PAWS: 'its timestamp is older than the last one (PAWS)',
  TCP_RFC7323_PAWS_ACK: 'an ACK with an old timestamp, as reordering on the path makes it: nothing is lost',
  TCP_RFC7323_TW_PAWS:
    'a timewait socket refused it for an old timestamp: hosts behind one NAT address, or a port reused at once',
  TCP_RFC7323_TSECR:
    'it echoes a timestamp that was never sent: a device rewrites timestamps, or it is forged',
  TCP_INVALID_END_SEQUENCE: 'it ends beyond the window that was offered',
};

/** '' for the others. */
export function meaningOfDrop(reason: string | null | undefined): string {
  return MEANINGS[reason ?? ''] ?? '';
}
