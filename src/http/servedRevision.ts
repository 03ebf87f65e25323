// Which revision a question about a goal or a report is asked by where the client names none: the one that is served.
import type { HttpDeps } from './deps.ts'

type Params = Readonly<Record<string, unknown>>

/** Throws Problem `not_found` for what is not in force. */
export async function withServedRevision({ definitions }: Pick<HttpDeps, 'definitions'>, appId: string, question: string, params: Params): Promise<Params> {
  const { definitionId, revision } = params
  if ((question !== 'goal' && question !== 'report') || typeof definitionId !== 'string' || revision !== undefined) return params
  return { ...params, revision: (await definitions.served(appId, question, definitionId)).revision }
}
