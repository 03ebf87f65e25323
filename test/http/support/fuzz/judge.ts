// What a run as a whole has to show, beyond each of its answers: that it got through to what routes do, and that it left
// nothing behind in memory.
import assert from 'node:assert/strict'
import type { Outcome } from './fuzz.ts'
import { OPERATIONS } from './requests.ts'

/**
 * What chance does not find: a Google that is set up and its codes, an invitation for somebody who is not there yet, one's own
 * session by its id, somebody with two organisations, a build that is there to go to, or the number of an event that was refused.
 */
const OUT_OF_REACH = ['GET /auth/google', 'POST /invitations/accept', 'DELETE /auth/sessions/{sessionId}', 'POST /apps/{appId}/transfer', 'GET /auth/google/callback', 'POST /auth/exchange', 'POST /auth/refresh', 'POST /projections/{name}/switch', 'POST /projections/{name}/rollback', 'POST /projections/{name}/drop', 'POST /projections/{name}/pause', 'GET /quarantine/{number}', 'POST /quarantine/{number}/release', 'DELETE /quarantine/{number}']

/** So much of what was asked was done, and so many of the operations did it at least once. */
export function assertDeep({ statuses, succeeded }: Outcome, { leastDone, leastOperations }: { leastDone: number; leastOperations: number }): void {
  const count = (wanted: (status: number) => boolean): number => [...statuses].reduce((sum, [status, times]) => sum + (wanted(Number(status)) ? times : 0), 0)
  const share = count((status) => status < 300) / count((status) => status > 0)
  assert.ok(share >= leastDone, `of all requests only ${Math.round(share * 100)} % were done: ${JSON.stringify([...statuses])}`)
  const names = OPERATIONS.map(({ method, template }) => `${method} ${template}`).filter((name) => !OUT_OF_REACH.includes(name))
  const refused = names.filter((name) => !succeeded.has(name))
  assert.ok(1 - refused.length / names.length >= leastOperations, `always refused: ${refused.join(', ')}`)
}

/** From one quarter to the last one, what a request leaves behind on average. */
export function assertLevel({ heapsBytes }: Outcome, { requests, from, bytesPerRequest }: { requests: number; from: number; bytesPerRequest: number }): void {
  assert.equal(heapsBytes.length, 5)
  const grown = (heapsBytes[4]! - heapsBytes[from]!) / ((requests * (4 - from)) / 4)
  assert.ok(grown <= bytesPerRequest, `the heap grows by ${Math.round(grown)} bytes a request: ${heapsBytes.join(', ')}`)
}
