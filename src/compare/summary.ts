/** What a comparison needs of an analysis: exact counts, whether its result lists the connections or not. */
import type { Confidence, Severity } from '../model/finding.ts';
import type { Result } from '../tables/result.ts';
import { sharing } from '../view/words.ts';
import type { Share } from './interval.ts';

export interface Summary {
  /** As given on the command line. */
  name: string;
  connections: number;
  /** By rule; what a story alone says of connections by its title. */
  causes: Map<string, CauseCount>;
  /** By `ADDRESS:PORT`: those with a finding above info. */
  servers: Map<string, Share>;
}

export interface CauseCount {
  /** '' where no rule says it. */
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
  const told = result.incidents.flatMap(({ cause, confidence }): [string, CauseCount][] => {
    const { rule, title, severity, connections } = cause;
    return rule === '' && confidence !== null && connections > 0
      ? [[title, { rule, title, severity, confidence, connections }]]
      : [];
  });
  const servers = result.servers.map(({ server, connections, hurt }): [string, Share] => [
    server,
    { connections, hurt },
  ]);
  // result.json of many connections lists some of them: what each server had is exact
  const connections = result.servers.reduce((sum, server) => sum + server.connections, 0);
  return { name, connections, causes: new Map([...causes, ...told]), servers: new Map(servers) };
}
