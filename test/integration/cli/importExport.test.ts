// Import and export on both engines with excerpts of real data: what is counted, what is reported, that nothing is stored
// twice, that an export restores a store, and that a kill in the middle costs nothing.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { loadInto } from '../../../src/cli/demo.ts'
import { type ImportOptions, type ImportSummary, runImport } from '../../../src/cli/runImport.ts'
import { runExport } from '../../../src/cli/runExport.ts'
import { runVerify } from '../../../src/cli/runVerify.ts'
import { withStores } from '../../../src/cli/stores.ts'
import { createAppBus } from '../../../src/commands/appBus.ts'
import { correctEvent } from '../../../src/commands/correctEvent.ts'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { defineDimension } from '../../../src/commands/defineDimension.ts'
import { OWNER_ID } from '../../../src/commands/signInOwner.ts'
import { type Config, readConfig } from '../../../src/config.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { StoredEvent } from '../../../src/events/eventLog.ts'
import { arrivalValues } from '../../../src/projections/enrichment/dimensions.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { eventually } from '../../support/eventually.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { freshDatabase } from '../../support/servers.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/realData/', import.meta.url))
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const ENGINES: [name: string, database: (directory: string) => Promise<string> | string][] = [
  ['SQLite', (directory) => `sqlite:${directory}/recount.db`],
  ['MySQL', () => freshDatabase()],
]

const DEFAULTS: ImportOptions = {
  ...{ file: '', app: undefined, createApp: 'App', timezone: undefined, format: 'jsonl', delimiter: ',', site: undefined, count: false, json: true },
  mapping: { map: [], set: [], onlyMapped: false },
}

/** Runs with standard output and error kept away from the test report. */
async function captured<T>(work: () => Promise<T>): Promise<{ result: T; out: string; err: string }> {
  const [log, write] = [console.log, process.stderr.write.bind(process.stderr)]
  let [out, err] = ['', '']
  console.log = (text: string) => void (out += `${text}\n`)
  process.stderr.write = (text: string | Uint8Array) => (err += String(text)) !== ''
  try {
    const result = await work()
    return { result, out, err }
  } finally {
    console.log = log
    process.stderr.write = write
  }
}

for (const [engine, databaseUrl] of ENGINES) {
  describe(`import and export on ${engine}`, function () {
    this.timeout(120_000)
    let directory: string
    let env: Record<string, string>
    let config: Config

    const freshStore = async (): Promise<{ env: Record<string, string>; config: Config }> => {
      const place = scratchDirectory('cli')
      const fresh = { DATA_DIR: place, DATABASE_URL: await databaseUrl(place), JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'error' }
      return { env: fresh, config: readConfig(fresh) }
    }
    const imported = async (options: Partial<ImportOptions>, into = config): Promise<ImportSummary & { err: string }> => {
      const { result, err } = await captured(() => runImport(into, { ...DEFAULTS, ...options }))
      return { ...result, err }
    }
    const events = (appId: string | null, of = config): Promise<StoredEvent[]> =>
      withStores(of, ({ log }) => log.readApp(appId!, 0, 100_000)).then((all) => all.filter(({ type }) => type === 'EventCollected'))
    const file = (name: string, content: string): string => {
      const path = join(directory, name)
      writeFileSync(path, content)
      return path
    }

    const defineAndCorrect = (appId: string): Promise<void> =>
      withStores(config, async ({ log }) => {
        const bus = createAppBus({ log, clock: systemClock, logger: silentLogger })
        const by = { actor: appId }
        await bus.execute(defineDimension, appId, { key: 'plan' }, by)
        const event = (await log.readApp(appId, 0, 1_000)).find(({ type }) => type === 'EventCollected')!
        await bus.execute(correctEvent, appId, { eventId: event.eventId, changes: { title: 'Corrected' }, reason: 'a test' }, by)
      })

    beforeEach(async () => {
      directory = scratchDirectory('files')
      const store = await freshStore()
      env = store.env
      config = store.config
    })

    it('takes an access log: days, visitors and the bad line by its number; again adds nothing', async () => {
      const options = { file: join(FIXTURES, 'apache_bad_line.txt'), format: 'combined', site: 'http://semicomplete.com' } as const
      const first = await imported(options)
      assert.deepEqual([first.rows, first.accepted, first.stored, first.duplicates, first.bad], [200, 199, 199, 0, 1])
      assert.match(first.err, /^line 101: has an unterminated quote in the user agent$/m)
      const lines = readFileSync(options.file, 'utf8').split('\n').filter((line) => line !== '')
      const pairs = lines.filter((_, index) => index !== 100).map((line) => `${line.split(' ')[0]!} ${line.split('"')[5]!}`)
      const visitors = new Set((await events(first.appId)).map(({ data }) => (JSON.parse(data!) as EventCollected).cookieless))
      assert.equal(visitors.size, new Set(pairs).size)
      assert.ok(!visitors.has(undefined))
      const again = await imported(options)
      assert.deepEqual([again.stored, again.duplicates, again.bad], [0, 199, 1])
    })

    it('knows the pages of an access log as the site\'s own by --site or the app\'s url, under the same ids', async () => {
      const [log, site] = [{ file: join(FIXTURES, 'apache_bad_line.txt'), format: 'combined' } as const, 'https://www.semicomplete.com']
      const own = await imported({ file: file('empty.log', ''), format: 'combined', createApp: 'Own', site })
      const first = await imported({ ...log, createApp: undefined, app: 'Own' })
      assert.doesNotMatch(first.err, /which site/)
      const stored = (await events(own.appId)).map(({ data }) => JSON.parse(data!) as EventCollected)
      assert.deepEqual(stored.filter(({ url }) => url?.startsWith(`${site}/`) !== true), [])
      const within = stored.filter(({ referrer }) => referrer?.startsWith('http://semicomplete.com/') === true)
      assert.ok(within.length > 20)
      assert.deepEqual(new Set(within.map((data) => arrivalValues(data)[0])), new Set([undefined]))
      // Ids are of rows and not of what the rows are taken to mean.
      const other = await imported({ ...log, createApp: undefined, app: 'Own', site: 'https://other.test' })
      assert.deepEqual([other.stored, other.duplicates], [0, 199])
      const unknown = await imported({ ...log, createApp: 'Unknown' })
      assert.match(unknown.err, /^neither --site nor the app's url says which site this is/m)
      const paths = (await events(unknown.appId)).map(({ data }) => (JSON.parse(data!) as EventCollected).url)
      assert.deepEqual(paths.filter((url) => url?.startsWith('/') !== true), [])
    })

    it('takes JSON lines and TSV with mapped columns', async () => {
      const wiki = await imported({
        ...{ file: join(FIXTURES, 'wikiticker_excerpt.jsonl'), createApp: 'Wiki' },
        mapping: { map: [['timestamp', 'time'], ['userId', 'user']], set: [['event', 'edit']], onlyMapped: false },
      })
      assert.deepEqual([wiki.accepted, wiki.bad], [400, 0])
      const rows = readFileSync(join(FIXTURES, 'wikiticker_excerpt.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
      const edits = (await events(wiki.appId)).map(({ data, occurredAt }) => ({ ...(JSON.parse(data!) as EventCollected), occurredAt }))
      assert.deepEqual(edits.map(({ userId, occurredAt }) => [userId, occurredAt]), rows.map(({ user, time }) => [user, Date.parse(String(time))]))
      assert.deepEqual(edits.map(({ metadata }) => [metadata!['page'], metadata!['added']]), rows.map(({ page, added }) => [page, added]))
      const git = await imported({
        ...{ file: join(FIXTURES, 'git_activity_excerpt.tsv'), createApp: 'Git', format: 'tsv' },
        mapping: { map: [['timestamp', 'occurred_at'], ['userId', 'user'], ['metadata.path', 'path']], set: [], onlyMapped: true },
      })
      const table = readFileSync(join(FIXTURES, 'git_activity_excerpt.tsv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t'))
      assert.deepEqual([git.accepted, git.bad], [table.length, 0])
      assert.deepEqual(
        (await events(git.appId)).map(({ data, occurredAt }) => [occurredAt, JSON.parse(data!) as unknown]),
        table.map((cells) => [Number(cells[1]) * 1_000, { event: cells[6], userId: cells[4], metadata: { path: cells[7] } }]),
      )
    })

    it('adds only what is new of a file that has grown, and takes rows with ids of their own once', async () => {
      const path = file('grown.csv', 'id,event,timestamp,userId\n,a,1700000000,u\n,a,1700000000,u\nx,b,1700000001,"multi\nline"\n')
      const first = await imported({ file: path, format: 'csv' })
      assert.deepEqual([first.stored, first.bad], [3, 0])
      appendFileSync(path, ',c,1700000002,u\n,bad time,tomorrow,u\nx,b,1700000001,v\n')
      const second = await imported({ file: path, format: 'csv' })
      assert.deepEqual([second.rows, second.stored, second.duplicates, second.bad], [6, 1, 4, 1])
      assert.match(second.err, /^line 7: timestamp must be an ISO 8601 date and time/m)
    })

    it('restores an export into an empty store, without a second reduction, and exports the same again', async () => {
      const log = await imported({ file: join(FIXTURES, 'apache_bad_line.txt'), format: 'combined', createApp: 'Log' })
      await imported({ file: file('odd.jsonl', '{"event":"ü\u2028","timestamp":"2020-01-01T00:00:00Z","userId":"\\ud800","metadata":{"1":2,"a":1.0}}\n'), createApp: 'Log' })
      await defineAndCorrect(log.appId!)
      const out = join(directory, 'all.jsonl.gz')
      await captured(() => runExport(config, { app: undefined, out }))
      const other = await freshStore()
      const restored = await imported({ file: out, createApp: undefined }, other.config)
      assert.deepEqual([restored.accepted, restored.stored, restored.bad], [restored.rows, restored.rows, 0])
      const second = join(directory, 'again.jsonl.gz')
      await captured(() => runExport(other.config, { app: undefined, out: second }))
      // Only when a store recorded an event is its own.
      const plain = (path: string): string => gunzipSync(readFileSync(path)).toString().replaceAll(/"recordedAt":"[^"]*"/g, '')
      assert.equal(plain(second), plain(out))
      assert.deepEqual([(await imported({ file: out, createApp: undefined }, other.config)).stored], [0])
      // Definitions and corrections stand in the app's partition; in the control partition they would stop the keyring.
      const types = (stored: Config): Promise<string[]> => withStores(stored, async ({ log: it }) => (await it.read(0, 0, 1_000)).map(({ type }) => type))
      assert.deepEqual(await types(other.config), await types(config))
      const one = join(directory, 'one.jsonl')
      await captured(() => runExport(config, { app: 'Log', out: one }))
      const third = await freshStore()
      const alone = await imported({ file: one, createApp: undefined }, third.config)
      assert.equal(alone.stored, alone.rows)
      assert.deepEqual((await events(log.appId, third.config)).map(({ data }) => data), (await events(log.appId)).map(({ data }) => data))
      const moved = await imported({ file: one, createApp: 'Copy' }, third.config)
      assert.deepEqual([moved.stored, moved.skipped], [200, alone.rows - 200])
    })

    it('is complete, exactly once, after kill -9 in the middle', async () => {
      const rows = Array.from({ length: 30_000 }, (_, index) => `{"event":"e","timestamp":${1_700_000_000 + index},"userId":"u${index}"}\n`)
      const path = file('many.jsonl', rows.join(''))
      const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'import', path, '--create-app', 'Many', '--format', 'jsonl', '--no-count'], {
        env: { ...process.env, ...env },
        stdio: 'ignore',
      })
      const heads = (): Promise<number> => withStores(config, async ({ log }) => (await log.heads()).reduce((sum, { position }) => sum + position, 0))
      await eventually(async () => (await heads()) > 4_000, { timeoutMs: 60_000 })
      child.kill('SIGKILL')
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
      const again = await imported({ file: path, createApp: 'Many' })
      assert.equal(signal, 'SIGKILL')
      assert.ok(again.duplicates > 0, 'something was stored before the kill')
      assert.ok(again.stored > 0, 'something was not')
      const users = (await events(again.appId)).map(({ data }) => (JSON.parse(data!) as EventCollected).userId)
      assert.equal(users.length, 30_000)
      assert.equal(new Set(users).size, 30_000)
    })

    it('stops with a word and exit code 1 when its app is deleted meanwhile, and keeps what it stored', async () => {
      const { appId } = await imported({ file: file('none.jsonl', '') })
      const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'import', '-', '--app', appId!, '--format', 'jsonl', '--no-count'], {
        env: { ...process.env, ...env },
        stdio: ['pipe', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      child.stdin.on('error', () => undefined)
      let sent = 0
      // Goes on for as long as somebody reads: the input has no end.
      const feeding = setInterval(() => {
        for (let line = 0; line < 1_000; line += 1) child.stdin.write(`{"event":"e","timestamp":1700000000,"userId":"u${(sent += 1)}"}\n`)
      }, 20)
      const ended = once(child, 'exit') as Promise<[number | null]>
      try {
        await withStores(config, async ({ log, bus, keyring }) => {
          const { partition } = keyring.state.app(appId!)!
          await eventually(async () => (await log.head(partition)).position > 4_000 || assert.fail(said), { timeoutMs: 30_000 })
          await bus.execute(deleteApp, { appId: appId! }, { actor: OWNER_ID })
        })
        const deletedAt = performance.now()
        assert.deepEqual(await ended, [1, null])
        assert.ok(performance.now() - deletedAt < 5_000, `took ${performance.now() - deletedAt} ms`)
      } finally {
        clearInterval(feeding)
        child.kill('SIGKILL')
      }
      const stored = (await withStores(config, ({ log }) => log.readApp(appId!, 0, 1_000_000))).filter(({ type }) => type === 'EventCollected').length
      assert.match(said, new RegExp(`app App \\(${appId!}\\) was deleted during the import, which stopped; ${stored.toLocaleString('en-US')} events are stored`))
      assert.ok(stored < sent)
    })

    it('counts what it imported, and verify agrees', async () => {
      const { countingSeconds } = await imported({ file: join(FIXTURES, 'apache_excerpt.log.gz'), format: 'combined', count: true })
      assert.ok(countingSeconds !== undefined)
      const { result, out } = await captured(() => runVerify(config, { logOnly: false, json: true }))
      assert.equal(result, true, out)
    })

    it('loads the demo once a day, to end yesterday, and on a later day only what is missing', async () => {
      const load = (day: string): Promise<number> =>
        withStores(config, (stores) => loadInto(stores, { now: () => Date.parse(`${day}T12:00:00Z`) })).then(({ stored }) => stored)
      assert.equal(await load('2026-11-22'), 2_931)
      assert.equal(await load('2026-11-22'), 0)
      assert.equal(await load('2026-11-23'), 845)
      const appId = await withStores(config, ({ keyring }) => Promise.resolve([...keyring.state.apps()][0]!.appId))
      const days = new Map<string, number>()
      for (const { occurredAt } of await events(appId)) {
        const day = new Date(occurredAt).toISOString().slice(0, 10)
        days.set(day, (days.get(day) ?? 0) + 1)
      }
      assert.deepEqual([...days], [['2026-11-18', 392], ['2026-11-19', 764], ['2026-11-20', 930], ['2026-11-21', 845], ['2026-11-22', 845]])
    })
  })
}
