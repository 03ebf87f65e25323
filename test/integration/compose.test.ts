// The compose file without a docker daemon: what it must promise (ports, durable settings, health checks, start order,
// secrets), and the two scripts that carry the secrets, run for real.
import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { scratchDirectory } from '../support/scratch.ts'

const ROOT = join(import.meta.dirname, '../..')
const yaml = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown }

interface Service {
  image?: string
  build?: string
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  healthcheck?: { test?: string[]; disable?: boolean }
  depends_on?: Record<string, { condition: string }>
}

const compose = yaml.load(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as { services: Record<string, Service>; volumes: object }
const service = (name: string): Service => compose.services[name] ?? assert.fail(`no service ${name}`)

describe('docker-compose.yml', () => {
  it('has the roles, the stores, and what prepares them', () => {
    assert.deepEqual(Object.keys(compose.services).sort(), ['api', 'append', 'init', 'migrate', 'mysql', 'project', 'redis'])
    for (const role of ['api', 'append', 'project']) assert.deepEqual(service(role).command, ['serve', '--role', role])
    assert.deepEqual(service('migrate').command, ['migrate'])
    assert.match(service('mysql').image ?? '', /^mysql:8\.4/)
    assert.match(service('redis').image ?? '', /^redis:7/)
  })

  it('publishes port 1055 of the API and nothing else', () => {
    assert.deepEqual(service('api').ports, ['1055:1055'])
    for (const [name, { ports }] of Object.entries(compose.services)) if (name !== 'api') assert.equal(ports, undefined, name)
  })

  it('makes both stores durable', () => {
    const redis = service('redis').command!.join(' ')
    for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction']) assert.ok(redis.includes(setting), setting)
    const mysql = service('mysql').command!
    for (const setting of ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1']) assert.ok(mysql.includes(setting), setting)
  })

  it('checks the health of everything that keeps running', () => {
    for (const name of ['api', 'append', 'project', 'mysql', 'redis']) assert.ok((service(name).healthcheck?.test?.length ?? 0) > 1, name)
  })

  it('starts in order: secrets, stores, migrations, roles', () => {
    assert.equal(service('mysql').depends_on?.['init']?.condition, 'service_completed_successfully')
    assert.equal(service('migrate').depends_on?.['mysql']?.condition, 'service_healthy')
    for (const role of ['api', 'append', 'project']) {
      assert.equal(service(role).depends_on?.['migrate']?.condition, 'service_completed_successfully', role)
      assert.equal(service(role).depends_on?.['redis']?.condition, 'service_healthy', role)
    }
  })

  it('keeps data and secrets in named volumes that are declared', () => {
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]!))
    assert.deepEqual([...new Set(used)].sort(), Object.keys(compose.volumes).sort())
    assert.ok(service('mysql').volumes?.includes('mysql:/var/lib/mysql'))
    assert.ok(service('redis').volumes?.includes('redis:/data'))
  })

  it('holds no secret and needs no variable', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
    for (const [variable] of text.matchAll(/(?<!\$)\$\{[^}]*\}/g)) assert.match(variable, /^\$\{\w+:-/, `${variable} has no default`)
    for (const [, name, value] of text.matchAll(/^\s+(\w*(?:SECRET|PASSWORD|CODE)\w*): (.+)$/gm)) assert.match(value!, /^(\/secrets\/|\$\{\w+:-\}$)/, name)
  })

  it('hands on what somebody may set beside it', () => {
    for (const name of ['OWNER_CODE', 'METRICS_TOKEN', 'PUBLIC_URL', 'OWNER_EMAIL']) {
      for (const role of ['api', 'append', 'project']) assert.equal(service(role).environment?.[name], `\${${name}:-}`, `${name} of ${role}`)
    }
  })

  it('copies every file into the image that it then runs', () => {
    const docker = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    assert.match(docker, /^USER node$/m)
    assert.match(docker, /^HEALTHCHECK /m)
    const scripts = [...docker.matchAll(/scripts\/[\w.-]+/g), ...JSON.stringify(compose).matchAll(/scripts\/[\w.-]+/g)].map(([path]) => path)
    for (const script of scripts) {
      assert.ok(statSync(join(ROOT, script)).isFile(), script)
      assert.match(docker, new RegExp(`COPY .*${script.replaceAll('.', '\\.')}`), script)
    }
    assert.ok((statSync(join(ROOT, 'scripts/docker-entrypoint.sh')).mode & 0o111) !== 0, 'the entrypoint is executable')
  })
})

describe('the secrets of a deployment', () => {
  const make = (directory: string, ...options: string[]): string =>
    execFileSync(process.execPath, [join(ROOT, 'scripts/makeSecrets.js'), directory, ...options], { encoding: 'utf8' })

  it('are made once, kept, and the owner code is printed each time', () => {
    const directory = join(scratchDirectory('secrets'), 'new')
    const first = make(directory)
    assert.match(first, /^Owner code: [2-9A-HJKMNP-Z]{4}(-[2-9A-HJKMNP-Z]{4}){3}\n$/)
    const before = readFileSync(join(directory, 'jwt-secret'), 'utf8')
    assert.match(before, /^[0-9a-f]{64}$/)
    assert.equal(statSync(join(directory, 'jwt-secret')).mode & 0o777, 0o400)
    assert.equal(make(directory), first)
    assert.equal(readFileSync(join(directory, 'jwt-secret'), 'utf8'), before)
    assert.notEqual(make(join(scratchDirectory('secrets'), 'new')), first)
  })

  it('can be rotated: another secret signs, what it was stays accepted, and the rest is kept', () => {
    const directory = join(scratchDirectory('secrets'), 'new')
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
    const first = make(directory)
    const before = read('jwt-secret')
    assert.equal(make(directory, '--rotate'), first)
    assert.equal(read('jwt-secret-previous'), before)
    assert.match(read('jwt-secret'), /^[0-9a-f]{64}$/)
    assert.notEqual(read('jwt-secret'), before)
    assert.throws(() => make(directory, '--rotat'), /Usage/)
  })

  it('reach the program as variables, and never win over what is set', () => {
    const directory = scratchDirectory('secrets')
    const code = make(directory).slice('Owner code: '.length).trim()
    const stub = scratchDirectory('bin')
    writeFileSync(join(stub, 'node'), '#!/bin/sh\necho "$JWT_SECRET|$OWNER_CODE|$DATABASE_URL|$*|$JWT_SECRET_PREVIOUS"\n')
    chmodSync(join(stub, 'node'), 0o755)
    const run = (env: Record<string, string>): string[] => {
      const PATH = `${stub}:${process.env['PATH'] ?? ''}`
      return execFileSync(join(ROOT, 'scripts/docker-entrypoint.sh'), ['serve', '--role', 'api'], { env: { PATH, ...env }, encoding: 'utf8' }).trim().split('|')
    }
    const password = readFileSync(join(directory, 'mysql-password'), 'utf8')
    writeFileSync(join(directory, 'jwt-secret-previous'), 'before')
    const [secret, owner, url, args, previous] = run({ SECRETS_DIR: directory, MYSQL_HOST: 'mysql' })
    assert.equal(secret, readFileSync(join(directory, 'jwt-secret'), 'utf8'))
    assert.equal(owner, code)
    assert.equal(previous, 'before')
    assert.equal(url, `mysql://recount:${password}@mysql:3306/recount`)
    assert.match(args!, /bin\/recount\.js serve --role api$/)
    assert.deepEqual(run({ SECRETS_DIR: directory, MYSQL_HOST: 'mysql', JWT_SECRET: 'a', OWNER_CODE: 'b', DATABASE_URL: 'c' }).slice(0, 3), ['a', 'b', 'c'])
    assert.equal(run({ SECRETS_DIR: directory, OWNER_CODE: '' })[1], code, 'as compose hands on what nobody set')
    assert.deepEqual(run({ SECRETS_DIR: join(directory, 'none') }).slice(0, 3), ['', '', ''])
  })
})
