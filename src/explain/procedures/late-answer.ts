/** A client that closed before the server had sent its first byte, and an answer that came when nobody waited any more. */
import { CLIENT, SERVER } from '../../model/connection.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import { span } from '../words.ts';

/** Who closes sooner than this after a question did not wait for an answer, ns. */
const PATIENCE = NS_PER_S / 2;

/** What is to be said of it, and done; null where the connection shows no such thing. */
export function lateAnswer(f: Facts): { told: string; remedy: string } | null {
  const { wire } = f;
  const closed = wire?.finTime(CLIENT) ?? null;
  if (!wire || closed === null || !wire.sawHandshake || wire.unseen(SERVER) !== 0) return null;
  const firstOf = (side: number) => wire.packets.find((p) => wire.sideOf(p) === side && p.payload > 0);
  const [question, answer] = [firstOf(CLIENT), firstOf(SERVER)];
  if (!question || !answer || question.time >= closed || answer.time <= closed) return null;
  const waited = closed - question.time;
  const took = span(answer.time - question.time);
  return {
    told: ` The client closed ${span(waited)} after its first data; the server's first came ${took} after these.`,
    remedy:
      waited < PATIENCE
        ? 'Let the client read the answer before it closes.'
        : 'Find out why the server took so long to answer, or let the client wait longer: it had closed before the answer came.',
  };
}
