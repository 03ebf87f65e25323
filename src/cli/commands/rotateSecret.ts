// recount rotate-secret
import { Command } from 'commander'
import { type Config, ConfigError, readConfig } from '../../config.ts'
import { CommandFailed } from '../exitCodes.ts'

const HELP = `
Makes a new secret in DATA_DIR/jwt-secret and keeps the present one in DATA_DIR/jwt-secret-previous. It takes effect at the next start.
Tokens signed with the present secret stay good until the next rotation. Those signed with the one before it end: analytics tokens
that were issued before the last rotation must have been replaced. With JWT_SECRET in the environment this changes nothing:
docs/operations.md says what to do then.
Examples:
  recount rotate-secret
  DATA_DIR=/data recount rotate-secret`

export function rotateSecretCommand(): Command {
  return new Command('rotate-secret')
    .description('Replace the secret that signs tokens, where Recount keeps it itself.')
    .addHelpText('after', HELP)
    .action(async () => {
      const config = readConfig()
      if (config.jwtSecret !== undefined) {
        throw new ConfigError('JWT_SECRET', 'is set, so it is replaced where it is set: its present value becomes JWT_SECRET_PREVIOUS (docs/operations.md)')
      }
      const { rotateKeptSecret } = await import('../../secrets.ts')
      if (!rotateKeptSecret(config.dataDir)) throw new CommandFailed(`${config.dataDir} holds no secret yet: the first start makes one`)
      process.stdout.write(`${whatFollows(config).join('\n')}\n`)
    })
}

function whatFollows({ dataDir, ownerCode, userTokenSecret }: Config): string[] {
  return [
    `${dataDir}/jwt-secret is new, and what it was is in ${dataDir}/jwt-secret-previous.`,
    '',
    'Restart Recount: until then it signs with what it read when it started. After that',
    '  - everything signed with the previous secret is still accepted, until you rotate again or delete jwt-secret-previous;',
    '  - analytics tokens signed with the one before that are refused from now on;',
    userTokenSecret === undefined ? '  - so are its user tokens and sessions;' : '  - sign-ins go on as they are: USER_TOKEN_SECRET signs them;',
    ownerCode === undefined ? '  - the owner code is another one, and is printed at the start;' : '  - the owner code is OWNER_CODE, as before;',
    '  - write keys (rk_…) go on as they are.',
  ]
}
