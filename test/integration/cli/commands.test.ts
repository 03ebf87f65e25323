// The command line as a script meets it: help of every command, and an exit code that says what happened.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createProgram } from '../../../src/cli/program.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const COMMANDS = ['serve', 'migrate', 'import', 'export', 'replay', 'verify', 'heads', 'ledger', 'bench', 'demo', 'rotate-secret']

interface Ended {
  code: number
  out: string
  err: string
}

function recount(directory: string, ...args: string[]): Promise<Ended> {
  return recountWith({ DATA_DIR: directory }, ...args)
}

function recountWith(more: Record<string, string>, ...args: string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...more }
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

describe('recount on the command line', function () {
  this.timeout(120_000)
  let directory: string
  beforeEach(() => (directory = scratchDirectory('store')))
  const file = (content: string): string => {
    const path = join(directory, `${createHash('sha1').update(content).digest('hex')}.jsonl`)
    writeFileSync(path, content)
    return path
  }

  it('says which version it is, as package.json does', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
    assert.deepEqual(await recount(directory, '--version'), { code: 0, out: `${version}\n`, err: '' })
  })

  it('has help with examples and exit codes for every command', () => {
    const program = createProgram(() => undefined)
    assert.deepEqual(program.commands.map((command) => command.name()), COMMANDS)
    for (const command of program.commands) {
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      assert.match(help, /Examples:/, command.name())
      assert.match(help, /Exit codes:[^]*0 {2}done[^]*3 {2}done, but/, command.name())
    }
  })

  it('exits 0 for --help', async () => {
    const { code, out } = await recount(directory, 'import', '--help')
    assert.equal(code, 0)
    assert.match(out, /Usage: recount import/)
  })

  for (const [what, args, message] of [
    ['an unknown command', ['imprt'], /unknown command 'imprt'/],
    ['an unknown option', ['verify', '--fast'], /unknown option '--fast'/],
    ['a format that is none', ['import', '-', '--app', 'x', '--format', 'xml'], /Allowed choices are combined, jsonl, csv, tsv/],
    ['an import without app', ['import', '-', '--format', 'csv'], /--app <id\|name> or --create-app/],
    ['a mapping to no field', ['import', '-', '--app', 'x', '--format', 'csv', '--map', 'userid=a'], /"userid" is no field/],
    ['an export of nothing', ['export'], /say what to export/],
    ['a projection that is none', ['replay', 'visits'], /there is no projection visits; there are apps/],
    ['one app of a projection that is rebuilt as a whole', ['replay', 'audit', '--app', 'x'], /--app does not go with audit/],
    ['no threads', ['replay', 'web', '--threads', '0'], /must be a number from 1/],
    ['published heads that are not there', ['verify', '--heads', 'not-there.txt'], /no such file or directory, open 'not-there.txt'/],
    ['a bench of no events', ['bench', '--events', 'many'], /--events takes a number/],
  ] as const) {
    it(`exits 2 for ${what}`, async () => {
      const { code, err } = await recount(directory, ...args)
      assert.match(err, message)
      assert.equal(code, 2)
    })
  }

  it('exits 2 for a wrong environment, naming the variable', async () => {
    const env = { PATH: process.env['PATH'], DATABASE_URL: 'postgres://x' }
    const ended = await new Promise<Ended>((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', MAIN, 'migrate'], { env }, (error, out, err) => resolve({ code: Number(error?.code), out, err }))
    })
    assert.match(ended.err, /^recount: DATABASE_URL: takes sqlite/m)
    assert.equal(ended.code, 2)
  })

  it('exits 1 for what cannot be done', async () => {
    const noApp = await recount(directory, 'export', '--app', 'nobody')
    assert.deepEqual([noApp.code, noApp.out], [1, ''])
    assert.match(noApp.err, /no app has the id or name "nobody"/)
    const noFile = await recount(directory, 'import', join(directory, 'none'), '--create-app', 'x', '--format', 'csv')
    assert.equal(noFile.code, 1)
    assert.match(noFile.err, /cannot read .*none/)
  })

  it('replaces the secret it keeps, and says what that ends', async () => {
    const early = await recount(directory, 'rotate-secret')
    assert.deepEqual([early.code, early.err], [1, `recount: ${directory} holds no secret yet: the first start makes one\n`])
    const [first, path] = ['first'.padEnd(32, '.'), (name: string) => join(directory, name)]
    writeFileSync(path('jwt-secret'), first)
    const { code, out } = await recount(directory, 'rotate-secret')
    assert.equal(code, 0)
    assert.match(out, /Restart Recount[^]*one before that are refused[^]*owner code is another/)
    assert.equal(readFileSync(path('jwt-secret-previous'), 'utf8').trim(), first)
    const second = readFileSync(path('jwt-secret'), 'utf8').trim()
    assert.notEqual(second, first)
    for (const secret of [first, second]) assert.equal(out.includes(secret), false)
    const set = await recountWith({ DATA_DIR: directory, JWT_SECRET: second }, 'rotate-secret')
    assert.equal(set.code, 2)
    assert.match(set.err, /^recount: JWT_SECRET: is set, so it is replaced where it is set/)
    assert.equal(readFileSync(path('jwt-secret'), 'utf8').trim(), second)
  })

  it('goes through migrate, import, export, replay and verify', async () => {
    const pending = await recount(directory, 'migrate', '--check', '--json')
    assert.equal(pending.code, 1)
    assert.ok((JSON.parse(pending.out) as { pending: string[] }).pending.length > 0)
    assert.equal((await recount(directory, 'migrate')).code, 0)
    const good = file('{"event":"a","timestamp":1700000000,"userId":"u"}\n')
    const first = await recount(directory, 'import', good, '--create-app', 'Shop', '--format', 'jsonl', '--json')
    assert.equal(first.code, 0, first.err)
    const bad = await recount(directory, 'import', file('{"event":"b","timestamp":1700000001}\nnonsense\n'), '--app', 'shop', '--format', 'jsonl', '--json')
    assert.equal(bad.code, 1, 'names of apps are exact')
    const partly = await recount(directory, 'import', file('{"event":"b","timestamp":1700000001}\nnonsense\n'), '--app', 'Shop', '--format', 'jsonl', '--json')
    assert.equal(partly.code, 3)
    assert.match(partly.err, /^line 2: is not JSON/m)
    assert.deepEqual([(JSON.parse(partly.out) as Record<string, number>)['stored'], (JSON.parse(partly.out) as Record<string, number>)['bad']], [1, 1])
    const exported = await recount(directory, 'export', '--app', 'Shop')
    assert.equal(exported.code, 0)
    assert.equal(exported.out.split('\n').filter((line) => line.includes('"EventCollected"')).length, 2)
    const replayed = await recount(directory, 'replay', 'eventSummary', '--json')
    assert.equal(replayed.code, 0, replayed.err)
    const verified = await recount(directory, 'verify', '--json')
    assert.equal(verified.code, 0, verified.out + verified.err)
    const uncounted = file('{"event":"c","timestamp":1700000002}\n')
    assert.equal((await recount(directory, 'import', uncounted, '--app', 'Shop', '--format', 'jsonl', '--no-count')).code, 0)
    const behind = await recount(directory, 'verify')
    assert.equal(behind.code, 0, behind.out + behind.err)
    assert.match(behind.out, /^eventSummary +.*equal to a fresh fold, 1 events behind the log$/m)
    assert.match(behind.out, /Not all of the log is counted yet/)
    assert.match((await recount(directory, 'replay', '--help')).out, /keyUse/)
  })
})
