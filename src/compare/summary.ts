/** What a comparison needs of an analysis: exact counts, whether its result lists the connections or not. */
import type { Confidence, Severity } from '../model/finding.ts';
import type { Result } from '../model/result.ts';
import { sharing } from '../view/words.ts';
import type { Share } from './interval.ts';

export interface Summary {
  /** As given on the command line. */
  name: string;
  connections: number;
  causes: Map<string, CauseCount>;
  /** By `ADDRESS:PORT`: those with a finding above info. */
  servers: Map<string, Share>;
}

export interface CauseCount {
  rule: string;
  title: string;
  severity: Severity;
  confidence: Confidence;
  /** Connections that share it; 0 where it is found of a host. */
  connections: number;
}

export function summaryOf(name: string, result: Result): Summary {
  const causes = result.causes.map((cause): [string, CauseCount] => {
    const { rule, title, severity, confidence } = cause;
    return [rule, { rule, title, severity, confidence, connections: sharing(cause) }];
  });
  const servers = result.servers.map(({ server, connections, hurt }): [string, Share] => [
    server,
    { connections, hurt },
  ]);
  // result.json of many connections lists some of them: what each server had is exact
  const connections = result.servers.reduce((sum, server) => sum + server.connections, 0);
  return { name, connections, causes: new Map(causes), servers: new Map(servers) };
}
