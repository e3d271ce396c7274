import { type Layer, linkType } from '../cursor.ts';
import { NOT_IP, UNKNOWN_LINK_TYPE } from '../outcomes.ts';

/** LINKTYPE_WIRESHARK_UPPER_PDU (wsutil/exported_pdu_tlvs.h): what stands above a transport, named by its dissector. */
const UPPER_PDU = 252;
/** EXP_PDU_TAG_DISSECTOR_NAME, 16 bytes: what `annotate` writes for an event. */
const TEXT = [0, 12, 0, 16, ...new TextEncoder().encode('data-text-lines')];

/** Events that an annotated file has between its packets hide no TCP. */
export const exportedPdu: Layer = {
  id: 'exported-pdu',
  over: [linkType(UPPER_PDU)],
  role: 'plain',
  decode: ({ bytes, pos, end }) =>
    end - pos > TEXT.length && TEXT.every((byte, i) => bytes[pos + i] === byte) ? NOT_IP : UNKNOWN_LINK_TYPE,
};
