// What peers gave on a machine of two cores with nothing else running (November 2026; medians, the better end of a range): the
// numbers that bench/peers.ts stands beside. What differs is said with them, because no two of these promise the same.

export interface PeerFigure {
  readonly name: string
  readonly value: number
  /** As it was measured, where that is a range. */
  readonly range: string
}

const umami = (value: number, range: string): PeerFigure => ({ name: 'Umami 3.1', value, range })
const emmett = (value: number, range: string): PeerFigure => ({ name: 'Emmett 0.42', value, range })

export const UMAMI = {
  single16: umami(737, '378 to 737'),
  single64: umami(737, '427 to 737'),
  p50: umami(21, '21 to 147'),
  p99: umami(39, '39 to 246'),
  batch: umami(880, '640 to 880'),
  batchP50: umami(450, '450 to 2,000'),
  nodeCpu: umami(1.4, '1.4 to 2.8'),
  databaseCpu: umami(0.3, '0.3 to 0.9'),
  memoryAtRest: umami(160, '160 to 230'),
  memoryUnderLoad: umami(670, '670'),
  disk: umami(875, '875 to 920'),
  queries: {
    'overview, 30 days': umami(369, '369; 880 with one event a visit'),
    'overview, 90 days': umami(401, '401; 1,320 with one event a visit'),
    'pageviews by day, 30 days': umami(227, '227'),
    'pageviews by day, 90 days': umami(697, '697'),
    'by page, 30 days': umami(202, '202'),
    'by page, 90 days': umami(615, '615'),
    'by referrer, 30 days': umami(77, '77'),
    'by referrer, 90 days': umami(183, '183'),
    'by browser, 30 days': umami(235, '235'),
    'by browser, 90 days': umami(623, '623'),
  },
} as const

export const EMMETT = {
  append: { 1: emmett(4_300, '3,500 to 4,300'), 10: emmett(25_000, '25,000'), 100: emmett(57_000, '50,000 to 57,000') },
  rebuild: emmett(1_590, '820 to 1,590'),
} as const

export const CAVEATS = [
  'Umami: PostgreSQL 15 with fsync, one INSERT a request, answered after it; Recount answers after Redis has it on disk (appendfsync always) and MariaDB commits later (innodb_flush_log_at_trx_commit=1). Both count visitors exactly.',
  'Umami keeps no event ids, so a retry counts twice; Recount spends an id, a unique index and a hash chain on every event, and keeps the log and read models besides.',
  "Umami's queries scan its table; Recount's read tables that are folded beforehand, which is what its projectors spend their time on.",
  'Emmett: PostgreSQL 15, one stream an appender, events of 250 bytes; Recount appends to partitions under a head lock, with unique ids, seals and a ledger. "By HTTP" is more than Emmett does: a request, a key, validation.',
  "Emmett's projection counts by event and hour into documents; Recount's eventSummary counts by event, quarter of an hour and device, and who the visitors were.",
  "All figures are of one machine with two cores, Recount's with the load generator, MariaDB, Redis and three processes on it; other days and loads differ.",
] as const
