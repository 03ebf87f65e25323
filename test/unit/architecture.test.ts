// Holds the walls of DESIGN §1 against the tree, and each rule against a sample that breaks it.
import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import * as architecture from '../support/architecture.ts'
import type { Rule } from '../support/architecture.ts'

const ROOT = join(import.meta.dirname, '../..')
const lines = (count: number): string => Array.from({ length: count }, (_, line) => `const a${line} = ${line}`).join('\n')

interface Case {
  rule: Rule
  /** Each sample breaks the rule once: files by path. */
  broken: Record<string, string>[]
  /** Keeps the rule though it looks as if it did not. */
  fine?: Record<string, string>
}

const RULES: Record<string, Case> = {
  'imports follow the one-way arrow': {
    rule: architecture.arrows,
    broken: [
      { 'src/commands/a.ts': "import { b } from '../projections/b.ts'" },
      { 'src/commands/a.ts': "import type { B } from '../queries/b.ts'" },
      { 'src/commands/a.ts': "export { b } from '../http/b.ts'" },
      { 'src/kernel/a.ts': "const b = await import('../events/b.ts')" },
      { 'src/events/a.ts': "let b: import('../commands/b.ts').B" },
      { 'src/http/a.ts': "import { b } from '../events/b.ts'" },
      { 'src/queries/a.ts': "import { b } from '../commands/b.ts'" },
      { 'src/projections/a.ts': "import { b } from '../config.ts'" },
      { 'src/cli/a.ts': "import { b } from '../http/routes/b.ts'" },
    ],
    fine: {
      'src/commands/a.ts': "import { LIMITS } from '../limits.ts'\nimport x from 'knex'\nimport { b } from './b.ts'\nimport { c } from '../events/c.ts'",
      'src/http/routes/a.ts': "import { b } from '../../commands/b.ts'\n// import { c } from '../../projections/c.ts'",
      'src/cli/a.ts': "import { b } from '../http/server.ts'",
    },
  },
  'no imports go in circles': {
    rule: architecture.noCycles,
    broken: [{ 'src/kernel/a.ts': "import { b } from './b.ts'", 'src/kernel/b.ts': "import { a } from './a.ts'" }],
    fine: { 'src/kernel/a.ts': "import { b } from './b.ts'", 'src/kernel/b.ts': "import type { A } from './a.ts'" },
  },
  'SQL on the log stands in engine files alone': {
    rule: architecture.sqlOnEventsInEngineFiles,
    broken: [
      { 'src/events/browse.ts': "knex.raw('SELECT 1 FROM events')" },
      { 'src/projections/a.ts': 'knex.raw(`INSERT INTO \\`events\\` VALUES (${x})`)' },
      { 'src/projections/a.ts': "db.raw('update events set data = 1')" },
      { 'src/queries/a.ts': "trx('events').select()" },
      { 'src/queries/a.ts': "trx.select().from('appends')" },
    ],
    fine: {
      'src/events/mysqlEventLog.ts': "knex.raw('SELECT 1 FROM events')",
      'src/queries/a.ts': "// SELECT FROM events\nconst x = 'SELECT 1 FROM event_counts'\nrouter.get('events')\nconst y = 'ON DUPLICATE KEY UPDATE events = events + 1'",
    },
  },
  'queries never write': {
    rule: architecture.queriesNeverWrite,
    broken: [
      { 'src/queries/a.ts': "trx.raw('INSERT INTO x VALUES (1)')" },
      { 'src/queries/a.ts': "trx.raw('UPDATE `x` SET y = 1')" },
      { 'src/queries/a.ts': "trx('x').insert({})" },
      { 'src/queries/a.ts': "trx('x').update({ y: 1 })" },
    ],
    fine: { 'src/queries/a.ts': "hash.update(text)\ntrx.raw('SELECT y FROM x')", 'src/projections/a.ts': "trx.raw('DELETE FROM x')" },
  },
  'bullmq is imported in at most three files': {
    rule: architecture.bullmqInThreeFiles,
    broken: [Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`src/commands/${name}.ts`, "import { Queue } from 'bullmq'"]))],
  },
  'express is imported only under http/': {
    rule: architecture.expressUnderHttp,
    broken: [{ 'src/commands/a.ts': "import express from 'express'" }, { 'src/main.ts': "import type { Request } from 'express'" }],
    fine: { 'src/http/a.ts': "import express from 'express'" },
  },
  'process.env is read only in config.ts': {
    rule: architecture.envInConfig,
    broken: [
      { 'src/main.ts': 'const port = process.env.PORT' },
      { 'src/main.ts': "const port = process['env'].PORT" },
      { 'src/main.ts': 'const { env } = process' },
    ],
    fine: { 'src/config.ts': 'read(process.env)', 'src/main.ts': '// process.env' },
  },
  'connections are opened only where the configuration says to what': {
    rule: architecture.connectsOnlyWhereConfigured,
    broken: [
      { 'src/http/a.ts': 'await fetch(req.body.url)' },
      { 'src/http/a.ts': 'await globalThis.fetch(url)' },
      { 'src/http/a.ts': "import { request } from 'node:http'" },
      { 'src/http/a.ts': "import https from 'node:https'" },
      { 'src/http/a.ts': "import { connect, isIP } from 'net'" },
      { 'src/commands/a.ts': "import { lookup } from 'node:dns/promises'" },
      { 'src/commands/a.ts': "import { Redis } from 'ioredis'" },
      { 'src/http/a.ts': "const { request } = await import('undici')" },
      { 'src/http/a.ts': 'new WebSocket(url)' },
    ],
    fine: {
      'src/http/a.ts': "import { createServer, type Server } from 'node:http'\nimport type { Redis } from 'ioredis'\nimport { isIP } from 'node:net'\nconst a = { fetch: 1 }\nstore.fetch()\n// fetch(url)",
      'src/http/googleAnswers.ts': 'await fetch(config.tokenUrl)',
    },
  },
  'there are no barrels': {
    rule: architecture.noBarrels,
    broken: [{ 'src/events/all.ts': "export { a } from './a.ts'\nexport { b } from './b.ts'" }, { 'src/events/a.ts': "export * from './b.ts'\nconst c = 1" }, { 'src/events/index.ts': 'const a = 1' }],
    fine: { 'src/events/a.ts': "export type { B } from './b.ts'\nexport const a = 1" },
  },
  'names say something': {
    rule: architecture.plainNames,
    broken: [{ 'src/kernel/utils.ts': '' }, { 'src/http/helpers/a.ts': '' }, { 'src/commands/keyManager.ts': '' }, { 'src/commands/appService.ts': '' }],
    fine: { 'src/commands/manageApp.ts': '' },
  },
  'files stay under their ceiling': {
    rule: architecture.fileSizes,
    broken: [{ 'src/kernel/a.ts': lines(301) }, { 'test/unit/a.test.ts': lines(401) }],
    fine: { 'src/kernel/a.ts': `${lines(300)}\n`, 'test/unit/a.test.ts': lines(400) },
  },
  'functions stay under their ceiling': {
    rule: architecture.functionSizes,
    broken: [{ 'src/kernel/a.ts': `function a() {\n${lines(69)}\n}` }, { 'src/kernel/a.ts': `const a = () => {\n${lines(69)}\n}` }],
    fine: { 'src/kernel/a.ts': `function a() {\n${lines(68)}\n\n// why\n}` },
  },
}

describe('architecture', () => {
  const sources = architecture.readSources(ROOT, 'src', 'migrations', 'test', 'bench')

  for (const [sentence, { rule, broken, fine }] of Object.entries(RULES)) {
    it(sentence, () => {
      assert.deepEqual(rule(sources), [])
    })

    it(`${sentence}: the rule can fail`, () => {
      const parse = (files: Record<string, string>): architecture.Source[] =>
        Object.entries(files).map(([path, text]) => architecture.source(path, text))
      for (const sample of broken) assert.equal(rule(parse(sample)).length, 1, JSON.stringify(sample))
      if (fine !== undefined) assert.deepEqual(rule(parse(fine)), [])
    })
  }
})
