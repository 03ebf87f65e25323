// What is written for people holds: links lead somewhere, variables and scripts that are named exist, nothing is left open.
import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'docs/decisions', 'bench'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`),
  ),
]
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

describe('documents', () => {
  it('are there', () => {
    for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/operations.md', 'bench/README.md']) {
      assert.ok(DOCUMENTS.includes(name), name)
    }
    assert.ok(existsSync(join(ROOT, 'LICENSE')))
  })

  for (const name of DOCUMENTS) {
    it(`${name}: every link leads somewhere`, () => {
      const text = read(name).replaceAll(/^```[\s\S]*?^```/gm, '')
      for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target!)) continue
        const [path, anchor] = target!.split('#')
        const file = path === '' ? name : join(dirname(name), path!)
        assert.ok(existsSync(join(ROOT, file)), `${target!} is not there`)
        if (anchor !== undefined) assert.ok(anchorsOf(read(file)).includes(anchor), `${target!} has no such heading`)
      }
    })

    it(`${name}: every file that it names is there`, () => {
      for (const [, path] of read(name).matchAll(/`((?:src|test|bench|docs|migrations|scripts)\/[\w./-]+)`/g)) assert.ok(existsSync(join(ROOT, path!)), path)
    })

    it(`${name}: nothing is left open`, () => {
      assert.doesNotMatch(read(name), /\b(TODO|TBD|FIXME|XXX|lorem ipsum)\b/i)
    })
  }

  it('README lists every variable of .env.example', () => {
    const readme = read('README.md')
    for (const [, name] of read('.env.example').matchAll(/^([A-Z_]+)=/gm)) assert.ok(readme.includes(`\`${name!}\``), name)
  })

  it('name only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const name of DOCUMENTS) {
      for (const [, script] of read(name).matchAll(/npm run (?:-s )?([\w:-]+)/g)) assert.ok(script! in scripts, `${name}: npm run ${script!}`)
    }
  })
})
