// What a command leaves beside its events: who gave it, and what it was answered. So a retry is recognised by every process
// that has folded the log, and answered as the first time.

export interface CommandMeta {
  readonly commandId: string
  readonly command: string
  /** Tells one execution of a command from a retry of it. */
  readonly execution: string
  /** The account that acted; absent before anybody had signed in. */
  readonly actor: string | undefined
  /** The answer of the first time; on the first event of a command only. */
  readonly result: Readonly<Record<string, unknown>> | undefined
  /** Whether it took something away from somebody. */
  readonly withdraws?: true
}

export function formatCommandMeta(meta: CommandMeta): string {
  return JSON.stringify(meta)
}

/** Undefined for what no command of the bus wrote. */
export function parseCommandMeta(text: string | null): CommandMeta | undefined {
  if (text === null) return undefined
  const meta = JSON.parse(text) as Partial<CommandMeta> | null
  if (typeof meta?.commandId !== 'string' || typeof meta.command !== 'string') return undefined
  const { commandId, command, execution = '' } = meta
  return { commandId, command, execution, actor: meta.actor, result: meta.result, ...(meta.withdraws === true ? { withdraws: true } : {}) }
}
