/** Who signs: keys of the environment, else of the profile, else what the AWS SDK finds (instance, web identity, SSO). */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

type Provider = (options?: { forceRefresh?: boolean }) => Promise<Keys>;

let provider: Promise<Provider> | null = null;

/** `afresh`: those there were may have expired. Rejects when there are none. */
export async function credentials(afresh: boolean): Promise<Keys> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY)
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN,
    };
  provider ??= providerOf();
  return (await provider)(afresh ? { forceRefresh: true } : {});
}

async function providerOf(): Promise<Provider> {
  const keys = await keysOfProfile();
  if (keys) return async () => keys;
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  return fromNodeProviderChain() as unknown as Provider;
}

/** Static keys of the profile; null without. */
async function keysOfProfile(): Promise<Keys | null> {
  const { AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE = 'default' } = process.env;
  const file = AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials');
  const text = await readFile(file, 'utf8').catch(() => '');
  let section = '';
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1] ?? section;
    const [, name, value] = /^\s*(aws_\w+)\s*=\s*(\S+)/.exec(line) ?? [];
    if (section === AWS_PROFILE && name) found[name] = value!;
  }
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = found;
  if (!accessKeyId || !secretAccessKey) return null;
  return { accessKeyId, secretAccessKey, sessionToken: found.aws_session_token };
}
