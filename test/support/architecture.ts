// The walls of the program (DESIGN §1) as functions from parsed sources to complaints, so that a test can hold them against
// the tree and against small broken samples: a rule that cannot fail proves nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import ts from 'typescript'

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

interface Import {
  /** Path in the repository for relative imports, else the package. */
  readonly target: string
  readonly relative: boolean
  readonly typeOnly: boolean
}

export type Rule = (sources: readonly Source[]) => string[]

export function source(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true) }
}

export function readSources(root: string, ...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => source(file.slice(root.length).replace(/^[/\\]/, '').replaceAll('\\', '/'), readFileSync(file, 'utf8'))),
  )
}

/** What each place may import besides itself, npm, and limits and errors, which are open to all. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  events: ['kernel'],
  commands: ['events', 'kernel'],
  projections: ['events', 'kernel'],
  queries: ['projections', 'events', 'kernel'],
  http: ['commands', 'queries', 'kernel'],
  cli: ['commands', 'events', 'projections', 'queries', 'kernel', 'root', 'http/server.ts'],
}

const OPEN_TO_ALL = ['src/limits.ts', 'src/errors.ts']

/** Types carry no code: a place may name the types of what it is handed, where the table above grants it no import. */
const TYPE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  http: ['events', 'root'],
}

export const arrows: Rule = (sources) =>
  sources.flatMap((from) => {
    const place = placeOf(from.path)
    const allowed = ARROWS[place]
    if (allowed === undefined) return []
    return importsOf(from)
      .filter(({ target, relative }) => relative && !OPEN_TO_ALL.includes(target) && placeOf(target) !== place)
      .filter(({ target, typeOnly }) => {
        const places = typeOnly ? [...allowed, ...(TYPE_ARROWS[place] ?? [])] : allowed
        return !places.includes(placeOf(target)) && !places.some((file) => `src/${file}` === target)
      })
      .map(({ target }) => `${from.path} imports ${target}: ${place} may import ${allowed.join(', ') || 'npm packages only'}`)
  })

export const noCycles: Rule = (sources) => {
  const edges = new Map(sources.map((from) => [from.path, importsOf(from).filter((it) => it.relative && !it.typeOnly).map((it) => it.target)]))
  const done = new Set<string>()
  const complaints: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      complaints.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`)
      return
    }
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return complaints
}

/** The files of storage engines in src/events: they alone hold SQL on the log's tables. */
const ENGINE_FILE = /^src\/events\/(mysql|sqlite)\w*\.ts$/
const SQL_ON_EVENTS = /\b(from|into|update|join|table)\s+[`"]?(events|appends)[`"]?(?![\w.]|\s*=)/i
const KNEX_FROM = ['from', 'into', 'table', 'join', 'leftJoin', 'innerJoin']

export const sqlOnEventsInEngineFiles: Rule = (sources) =>
  sources
    .filter(({ path }) => path.startsWith('src/') && !ENGINE_FILE.test(path))
    .flatMap((from) => {
      const complaints = textsOf(from).filter((text) => SQL_ON_EVENTS.test(text)).map((text) => `SQL on the log: ${text.trim().slice(0, 60)}`)
      for (const call of callsOf(from)) {
        const name = ts.isPropertyAccessExpression(call.expression) ? call.expression.name.text : call.expression.getText()
        const table = call.arguments[0]
        if (table === undefined || !ts.isStringLiteralLike(table) || !['events', 'appends'].includes(table.text)) continue
        if (KNEX_FROM.includes(name) || /^(\w+\.)?(knex|trx|db)$/.test(call.expression.getText())) complaints.push(`knex on the log: ${call.getText()}`)
      }
      return complaints.map((complaint) => `${from.path}: ${complaint}`)
    })

const SQL_WRITE = /\b(insert\s+(ignore\s+)?into|replace\s+into|update\s+[`"\w]+\s+set|delete\s+from|truncate\s+table|create\s+table|drop\s+table)\b/i

export const queriesNeverWrite: Rule = (sources) =>
  sources
    .filter(({ path }) => placeOf(path) === 'queries')
    .flatMap((from) => {
      const writes = textsOf(from).filter((text) => SQL_WRITE.test(text))
      const calls = callsOf(from).filter((call) => {
        if (!ts.isPropertyAccessExpression(call.expression)) return false
        const name = call.expression.name.text
        return name === 'insert' || name === 'del' || (name === 'update' && call.arguments[0] !== undefined && ts.isObjectLiteralExpression(call.arguments[0]))
      })
      return [...writes, ...calls.map((call) => call.getText())].map((text) => `${from.path} writes: ${text.trim().slice(0, 60)}`)
    })

export const bullmqInThreeFiles: Rule = (sources) => {
  const users = sources.filter((from) => from.path.startsWith('src/') && importsOf(from).some(({ target }) => packageOf(target) === 'bullmq'))
  return users.length <= 3 ? [] : [`bullmq is imported in ${users.length} files: ${users.map(({ path }) => path).join(', ')}`]
}

export const expressUnderHttp: Rule = (sources) =>
  sources
    .filter((from) => from.path.startsWith('src/') && placeOf(from.path) !== 'http')
    .filter((from) => importsOf(from).some(({ target }) => ['express', 'express-serve-static-core'].includes(packageOf(target))))
    .map(({ path }) => `${path} imports express`)

/** What can open a connection, and the only files that may: stores from the configuration, Google from the configuration. */
const CLIENTS = ['undici', 'axios', 'got', 'node-fetch', 'ws', 'ioredis', 'mysql2', 'bullmq', 'passport-google-oauth20', 'http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns']
const MAY_CONNECT: Readonly<Record<string, readonly string[]>> = {
  'src/commands/appendWorker.ts': ['bullmq'],
  'src/commands/bullQueue.ts': ['bullmq'],
  'src/commands/controlQueue.ts': ['bullmq'],
  'src/commands/queueConnection.ts': ['ioredis'],
  'src/events/mysqlEventLog.ts': ['mysql2'],
  'src/events/openEventLog.ts': ['mysql2'],
  'src/http/google.ts': ['passport-google-oauth20'],
  'src/http/googleAnswers.ts': ['fetch'],
  'src/kernel/database/mysql.ts': ['mysql2'],
  'src/queries/redisCache.ts': ['ioredis'],
  'src/stores.ts': ['ioredis'],
}

const GLOBALS = new Set(['fetch', 'WebSocket', 'EventSource'])

/** Not somebody else's property of that name. */
function isFree(name: ts.Identifier): boolean {
  if (ts.isPropertyAssignment(name.parent)) return name.parent.name !== name
  return !ts.isPropertyAccessExpression(name.parent) || name.parent.name !== name || name.parent.expression.getText() === 'globalThis'
}

/** A name of these modules that opens no connection. */
const PASSIVE = new Set(['createServer', 'IncomingMessage', 'isIP', 'isIPv4', 'isIPv6', 'BlockList'])

export const connectsOnlyWhereConfigured: Rule = (sources) =>
  sources
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap((from) => {
      const allowed = MAY_CONNECT[from.path] ?? []
      const opened = new Set<string>()
      for (const node of nodesOf(from)) {
        const imported = importOf(node)
        if (imported !== undefined && ts.isStringLiteralLike(imported.specifier)) {
          const name = packageOf(imported.specifier.text.replace(/^node:/, ''))
          if (CLIENTS.includes(name) && !imported.typeOnly && !isPassive(node)) opened.add(name)
        }
        if (ts.isIdentifier(node) && GLOBALS.has(node.text) && isFree(node)) opened.add(node.text)
      }
      return [...opened].filter((name) => !allowed.includes(name)).map((name) => `${from.path} may open connections by ${name}`)
    })

function isPassive(node: ts.Node): boolean {
  const bindings = ts.isImportDeclaration(node) && node.importClause?.name === undefined ? node.importClause?.namedBindings : undefined
  return bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.every((it) => it.isTypeOnly || PASSIVE.has((it.propertyName ?? it.name).text))
}

export const envInConfig: Rule = (sources) =>
  sources
    .filter(({ path }) => path.startsWith('src/') && path !== 'src/config.ts')
    .filter((from) => nodesOf(from).some((node) => /^process(\.env|\[['"]env['"]\])$/.test(node.getText(from.tree)) || destructuresEnv(node)))
    .map(({ path }) => `${path} reads process.env`)

export const noBarrels: Rule = (sources) =>
  sources.flatMap(({ path, tree }) => {
    const statements = tree.statements
    const forwards = statements.filter((it) => ts.isExportDeclaration(it) && it.moduleSpecifier !== undefined)
    const all = forwards.some((it) => ts.isExportDeclaration(it) && it.exportClause === undefined)
    const nothingElse = statements.length > 0 && forwards.length > 0 && statements.every((it) => ts.isExportDeclaration(it) || ts.isImportDeclaration(it))
    const named = basename(path) === 'index.ts'
    return all || nothingElse || named ? [`${path} is a barrel`] : []
  })

const VAGUE = /(^|[/.]|(?<=[a-z]))(utils?|helpers?|services?|managers?)(?=[A-Z./]|$)/i

export const plainNames: Rule = (sources) => sources.filter(({ path }) => VAGUE.test(path)).map(({ path }) => `${path} has a name that says nothing`)

const FILE_LINES = 300
const TEST_FILE_LINES = 400
const FUNCTION_LINES = 70

export const fileSizes: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length
    const most = /^(test|bench)\//.test(path) ? TEST_FILE_LINES : FILE_LINES
    return lines > most ? [`${path} has ${lines} lines, more than ${most}`] : []
  })

export const functionSizes: Rule = (sources) =>
  sources
    .filter(({ path }) => !/^(test|bench)\//.test(path))
    .flatMap((from) =>
      nodesOf(from)
        .filter((node) => ts.isFunctionLike(node) && 'body' in node && node.body !== undefined)
        .map((node) => node.getText(from.tree).split('\n').filter((line) => !/^\s*(\/\/.*|\/?\*.*)?$/.test(line)).length)
        .filter((lines) => lines > FUNCTION_LINES)
        .map((lines) => `${from.path} has a function of ${lines} lines, more than ${FUNCTION_LINES}`),
    )

function placeOf(path: string): string {
  const [folder, place, ...rest] = path.split('/')
  if (folder !== 'src') return folder ?? ''
  return rest.length === 0 ? 'root' : (place ?? '')
}

function packageOf(target: string): string {
  return target.split('/').slice(0, target.startsWith('@') ? 2 : 1).join('/')
}

/** Static and dynamic imports, re-exports, and types imported in place. */
function importsOf(from: Source): Import[] {
  return nodesOf(from).flatMap((node) => {
    const found = importOf(node)
    if (found === undefined || !ts.isStringLiteralLike(found.specifier)) return []
    const specifier = found.specifier.text
    const relative = specifier.startsWith('.')
    const target = relative ? normalize(join(dirname(from.path), specifier)).replaceAll('\\', '/') : specifier
    return [{ target, relative, typeOnly: found.typeOnly }]
  })
}

function importOf(node: ts.Node): { specifier: ts.Node; typeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause
    const bindings = clause?.namedBindings
    const eachType = clause?.name === undefined && bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.every((it) => it.isTypeOnly)
    return { specifier: node.moduleSpecifier, typeOnly: clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || eachType }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) return { specifier: node.moduleSpecifier, typeOnly: node.isTypeOnly }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return { specifier: node.argument.literal, typeOnly: true }
  const called = ts.isCallExpression(node) ? node.expression.kind : undefined
  const argument = ts.isCallExpression(node) ? node.arguments[0] : undefined
  return called === ts.SyntaxKind.ImportKeyword && argument !== undefined ? { specifier: argument, typeOnly: false } : undefined
}

/** String literals, and templates with a mark where a value stands. */
function textsOf(from: Source): string[] {
  return nodesOf(from).flatMap((node) => {
    if (ts.isStringLiteralLike(node)) return [node.text]
    if (ts.isTemplateExpression(node)) return [[node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('?')]
    return []
  })
}

function callsOf(from: Source): ts.CallExpression[] {
  return nodesOf(from).filter((node) => ts.isCallExpression(node))
}

function destructuresEnv(node: ts.Node): boolean {
  if (!ts.isVariableDeclaration(node) || node.initializer?.getText() !== 'process') return false
  return ts.isObjectBindingPattern(node.name) && node.name.elements.some((it) => (it.propertyName ?? it.name).getText() === 'env')
}

const nodes = new WeakMap<ts.SourceFile, ts.Node[]>()

function nodesOf({ tree }: Source): ts.Node[] {
  const known = nodes.get(tree)
  if (known !== undefined) return known
  const found: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  nodes.set(tree, found)
  return found
}
