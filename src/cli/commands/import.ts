// recount import
import { setFlagsFromString } from 'node:v8'
import { Argument, Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { EXIT, type SetExit, UsageError } from '../exitCodes.ts'
import { FORMATS } from '../formats/formats.ts'
import { parsePairs } from '../formats/mapping.ts'
import type { ImportOptions } from '../runImport.ts'

const HELP = `
Formats:
  combined  access log of Apache or nginx; each line becomes pageview, asset, error or request. A visitor is an address and
            agent on one day. Paths are completed with --site, else with the app's url.
  jsonl     one JSON object a line; also what \`recount export\` wrote, which is put back as it was (--app is optional then)
  csv       RFC 4180 with a header; --delimiter for others than the comma
  tsv       tabs and a header, no quoting: a quote is a character (quoted tabs: --format csv --delimiter tab)
Columns:
  A column named like an event's field (event, userId, anonymousId, sessionId, url, referrer, title, device, ipAddress,
  userAgent, screen, language, timestamp, interactive, value, currency, id) is that field. All other columns go to metadata,
  unless --only-mapped. Empty cells and nulls are absent. Texts of csv and tsv stay text.
  Times are ISO 8601 (without offset: local to the app), epoch seconds or epoch milliseconds.
  A row's id is its \`id\`, else it derives from the app, the row's bytes and its line number, so importing a file again,
  also after it has grown, adds only what is new.
Examples:
  recount import access.log.gz --app 0197… --format combined
  zcat edits.json.gz | recount import - --app Wiki --format jsonl --map timestamp=time,userId=user --set event=edit
  recount import activity.tsv.gz --create-app Git --format tsv --map userId=user,timestamp=occurred_at
  recount import backup.jsonl.gz --format jsonl`

interface Flags {
  app?: string
  createApp?: string
  format: ImportOptions['format']
  map: string[]
  set: string[]
  onlyMapped?: boolean
  delimiter: string
  site?: string
  timezone?: string
  count: boolean
  json?: boolean
}

const repeated = (value: string, before: string[]): string[] => [...before, value]

export function importCommand(setExit: SetExit): Command {
  return new Command('import')
    .description('Import a file of any length into an app, straight into the log.')
    .addArgument(new Argument('<file>', 'what to read, or - for standard input; gzip is recognised by its first bytes'))
    .option('--app <id|name>', 'the app, by its id, or by its name if only one has it')
    .option('--create-app <name>', 'the app of this name, created if there is none')
    .addOption(new Option('--format <format>', 'how the file is written').choices(FORMATS).makeOptionMandatory())
    .option('--map <target=source,…>', 'fields of the event and the columns (or dotted paths) they come from', repeated, [])
    .option('--set <target=value,…>', 'fields that are the same for all rows', repeated, [])
    .option('--only-mapped', 'leave out columns that would go to metadata')
    .option('--delimiter <character>', 'what separates the columns of csv: one character, or tab', ',')
    .option('--site <url>', 'completes the paths of an access log, such as https://example.com')
    .option('--timezone <zone>', 'IANA time zone of an app that --create-app creates')
    .option('--no-count', 'leave counting to the running server')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, flags: Flags) => {
      const options = checked(file, flags)
      // Left alone, the heap grows to several times what is in use before it is cleaned: a third more speed, twice the memory.
      setFlagsFromString('--heap-growing-percent=10')
      const { runImport } = await import('../runImport.ts')
      const summary = await runImport(readConfig(), options)
      if (summary.bad > 0) setExit(EXIT.partly)
    })
}

function checked(file: string, flags: Flags): ImportOptions {
  if (flags.app !== undefined && flags.createApp !== undefined) throw new UsageError('--app and --create-app exclude each other')
  if (flags.app === undefined && flags.createApp === undefined && flags.format !== 'jsonl') {
    throw new UsageError('say which app the events belong to: --app <id|name> or --create-app <name>')
  }
  const delimiter = flags.delimiter === 'tab' || flags.delimiter === '\\t' ? '\t' : flags.delimiter
  if (delimiter.length !== 1 || delimiter === '"') throw new UsageError('--delimiter takes one character, or tab')
  const { site } = flags
  if (site !== undefined && !/^https?:\/\/[^/?#\s]+\/?$/.test(site)) throw new UsageError('--site takes scheme and host, such as https://example.com')
  return {
    file,
    app: flags.app,
    createApp: flags.createApp,
    timezone: flags.timezone,
    format: flags.format,
    mapping: { map: pairs('--map', flags.map), set: pairs('--set', flags.set), onlyMapped: flags.onlyMapped === true },
    delimiter,
    site: site?.replace(/\/$/, ''),
    count: flags.count,
    json: flags.json === true,
  }
}

function pairs(option: string, texts: readonly string[]): [string, string][] {
  try {
    return parsePairs(option, texts)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
