// A person's row: what is written is read again, by whatever path it came there, and rows of before there was this form are read too.
import assert from 'node:assert/strict'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { LIMITS } from '../../../src/limits.ts'
import { detailOf, nobody, type Person, personOf, see, type Sighting, storedPerson } from '../../../src/projections/userStats/person.ts'
import { type Recent, spelledOut } from '../../../src/projections/userStats/recent.ts'

const AGENT = { browser: 'Firefox', os: null, device: 'desktop' }

describe('a row of user_stats', () => {
  const sighting = (at: number, more: Partial<Sighting> = {}): Sighting => ({ at, position: at, id: uuidv7(), event: 'pageview', url: `https://x.test/${at}`, agent: undefined, ip: undefined, ...more })
  const recentOf = ({ recent }: Person): Recent[] => recent.map(spelledOut)
  const said = ({ at, position, id, event, url }: Sighting): Recent => ({ at, position, id, event, url })
  const read = ({ events, firstSeen, lastSeen }: Person, detail: Buffer): Person => storedPerson({ events, first_seen: firstSeen, last_seen: lastSeen, detail, positions: null })
  const seeing = (...sightings: readonly Sighting[]): Person => {
    const person = nobody()
    for (const one of sightings) see(person, one)
    return person
  }

  it('says again what it was told', () => {
    const odd = [
      sighting(1_700_000_000_000, { url: null, agent: AGENT }),
      sighting(1_700_000_000_000, { position: 7, event: 'a "b"\\,\u0000 \ud800 ü 🦊', ip: '203.0.113.0' }),
      sighting(0, { position: 2 ** 40, event: '' }),
    ]
    const person = seeing(...odd)
    const again = read(person, detailOf(person))
    assert.deepEqual({ ...again, recent: [] }, { ...person, positions: null, recent: [] })
    assert.deepEqual(recentOf(again), odd.map(said))
    assert.deepEqual(recentOf(read(nobody(), detailOf(nobody()))), [])
  })

  it('is the same bytes however often it was put away on the way', () => {
    const sightings = Array.from({ length: 3 * LIMITS.recentEvents }, (_, n) => sighting(((n * 37) % 61) * 1_000, { position: n, event: `event ${n % 7}` }))
    let carried = nobody()
    for (const [n, one] of sightings.entries()) {
      see(carried, one)
      if (n % 4 !== 3) carried = read(carried, detailOf(carried))
    }
    const whole = seeing(...sightings)
    assert.deepEqual(detailOf(carried), detailOf(whole))
    const newest = sightings.toSorted((left, right) => right.at - left.at).slice(0, LIMITS.recentEvents)
    assert.deepEqual(recentOf(carried), newest.map(said))
  })

  it('keeps nothing of the bytes it was read from', () => {
    const detail = detailOf(seeing(sighting(5)))
    const person = read(nobody(), detail)
    const before = recentOf(person)
    detail.fill(0)
    assert.deepEqual(recentOf(person), before)
  })

  it('is read where an older program wrote it as JSON', () => {
    const recent = [said(sighting(9)), said(sighting(8, { url: null }))]
    const agent = { at: 9, position: 9, value: AGENT }
    const detail = Buffer.from(JSON.stringify({ agent, ip: null, recent }))
    const person = personOf({ events: 2, first_seen: '8', last_seen: '9', detail })
    assert.deepEqual({ ...person, recent: [] }, { events: 2, firstSeen: 8, lastSeen: 9, agent, ip: null, recent: [], positions: null })
    assert.deepEqual(recentOf(person), recent)
    assert.deepEqual(recentOf(read(person, detailOf(person))), recent)
  })

  it('is refused in a form that is not known', () => {
    assert.throws(() => personOf({ events: 1, first_seen: 1, last_seen: 1, detail: Buffer.from([2, 0]) }), /format 2/)
  })
})
