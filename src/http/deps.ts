// Everything the HTTP side is given. It knows contracts alone, so that tests and the composition root decide what stands
// behind them.
import type { Config } from '../config.ts'
import type { Collector } from '../commands/collectEvents.ts'
import type { AppCommandBus } from '../commands/appCommand.ts'
import type { CommandBus } from '../commands/commandBus.ts'
import type { Keyring } from '../commands/keyring.ts'
import type { QuarantineActs } from '../commands/quarantineActs.ts'
import type { SessionStore } from '../commands/sessionStore.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ControlQueries } from '../queries/controlQueries.ts'
import type { DefinitionNumbers } from '../queries/definitionNumbers.ts'
import type { DefinitionQueries } from '../queries/definitions.ts'
import type { Diffs } from '../queries/diffs.ts'
import type { LedgerQueries } from '../queries/quarantine.ts'
import type { QueryBus } from '../queries/query.ts'
import type { Recounts } from '../queries/recounts.ts'
import type { Metrics } from './metrics.ts'
import type { RateLimiter } from './rateLimiter.ts'
import type { Tokens } from './tokens.ts'

export interface ReplayProgress {
  readonly projection: string
  readonly appId?: string | undefined
  readonly state: 'running' | 'paused' | 'tried' | 'switched' | 'failed'
  /** Positions of the log that the new build has passed, and those there are. */
  readonly events: number
  readonly total: number
  readonly eventsPerSecond: number
  readonly percent: number
  readonly etaSeconds: number | null
}

/** Puts on record who asks for what. */
export type OnRecord = () => Promise<unknown>

/**
 * Control over rebuilds. Throws Problem `not_found` for an unknown projection, `already_running` where one is. What is refused
 * leaves no record, and what could not be recorded is not begun: `record` is called when nothing speaks against it any more,
 * and awaited before anything is touched.
 */
export interface Replays {
  /**
   * Starts a rebuild beside the live build, of one app or of all, and answers at once; it switches when it has caught up. One
   * that was paused goes on. `dry`: it switches nothing and leaves its report with the build. Throws Problem `invalid_body` for an
   * app of a projection that is rebuilt as a whole.
   */
  rebuild(projection: string, how: { readonly appId?: string; readonly keep?: number; readonly dry?: boolean }, record: OnRecord): Promise<void>
  /** Halts the rebuild under way, whichever process runs it. Throws Problem `not_found` when there is none. */
  pause(projection: string, record: OnRecord): Promise<void>
  /** Takes away a build that is not live. Throws Problem `not_found`, `build_live`. */
  drop(projection: string, build: number, record: OnRecord): Promise<void>
  /** Makes another build live, by its number. */
  switch(projection: string, build: number, record: OnRecord): Promise<void>
  /** Goes back to the newest build that was kept, or to the one named. */
  rollback(projection: string, build: number | undefined, record: OnRecord): Promise<void>
  /** Calls back with each step of each rebuild; answers the way to stop. */
  subscribe(listener: (progress: ReplayProgress) => void): () => void
}

export interface HttpDeps {
  readonly config: Pick<Config, 'trustProxy' | 'publicUrl' | 'allowLocalSignin' | 'google' | 'ownerEmail' | 'metricsToken' | 'production'>
  readonly ownerCode: string
  readonly keyring: Keyring
  readonly bus: CommandBus
  /** Commands about an app's own data; routes have checked that the caller may give them. */
  readonly appBus: AppCommandBus
  /** Repeats settings in the app's own partition; routes wait for it. */
  readonly relay: { apply(appId: string): Promise<void> }
  readonly collector: Collector
  readonly queries: QueryBus
  readonly recounts: Recounts
  readonly diffs: Diffs
  readonly control: ControlQueries
  readonly ledger: LedgerQueries
  readonly quarantine: QuarantineActs
  readonly definitions: DefinitionQueries
  readonly definitionNumbers: DefinitionNumbers
  readonly replays: Replays
  readonly tokens: Tokens
  readonly sessions: SessionStore
  readonly rateLimiter: RateLimiter
  readonly metrics: Metrics
  readonly clock: Clock
  readonly logger: Logger
  /** Does the error say that a store is away for now? Then the answer is 503, and the same request may succeed later. */
  isAway(error: unknown): boolean
  /** Asks the store something small; it rejects, or never answers, while the store is away. */
  askStore(): Promise<unknown>
  /** May this process take traffic? Faults are for the log, never for the answer. */
  ready(): Promise<{ ready: boolean; faults: readonly string[] }>
}
