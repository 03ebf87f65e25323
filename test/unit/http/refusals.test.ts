import assert from 'node:assert/strict'
import { createRefusals, type Refusal } from '../../../src/http/refusals.ts'
import type { Fields, Logger } from '../../../src/kernel/logger.ts'
import { LIMITS } from '../../../src/limits.ts'

const REFUSED: Refusal = { code: 'key_revoked', status: 401, method: 'POST', route: '/collect', address: '203.0.113.77' }

function noted(): { refuse: (refusal: Refusal) => void; lines: [string, Fields][]; clock: { nowMs: number } } {
  const lines: [string, Fields][] = []
  const write = (message: string, fields: Fields = {}): void => void lines.push([message, fields])
  const logger: Logger = { debug: write, info: write, warn: write, error: write, with: () => logger }
  const clock = { nowMs: 1_800_000_000_000, now: () => clock.nowMs }
  return { refuse: createRefusals({ logger, clock }), lines, clock }
}

describe('refusals', () => {
  it('are noted with what was asked, as whom, and from which network, never the whole address', () => {
    const { refuse, lines } = noted()
    refuse({ ...REFUSED, accountId: 'a' })
    refuse({ ...REFUSED, address: '2001:db8:1:2:3:4:5:6' })
    const said = { code: 'key_revoked', status: 401, method: 'POST', route: '/collect' }
    assert.deepEqual(lines, [
      ['refused', { ...said, accountId: 'a', network: '203.0.113.0' }],
      ['refused', { ...said, network: '2001:db8:1::' }],
    ])
  })

  it('are about credentials, rights and rates only', () => {
    const { refuse, lines } = noted()
    for (const status of [400, 401, 403, 404, 429, 503]) refuse({ ...REFUSED, status })
    assert.deepEqual(lines.map(([, { status }]) => status), [401, 403, 429])
  })

  it('are bounded in a minute, and the rest is counted', () => {
    const { refuse, lines, clock } = noted()
    for (let at = 0; at < LIMITS.refusalsLoggedPerMinute + 7; at++) refuse(REFUSED)
    assert.equal(lines.length, LIMITS.refusalsLoggedPerMinute)
    clock.nowMs += 60_000
    refuse(REFUSED)
    assert.deepEqual(lines.at(-2), ['refusals that were not logged one by one', { count: 7 }])
    assert.equal(lines.at(-1)![0], 'refused')
  })
})
