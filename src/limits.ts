// Every bound of the program by name and unit, in one place, so that an operator can read what will be refused and a
// reviewer can see what is unbounded: nothing should be. This file imports nothing and may be imported from everywhere.

export const LIMITS = {
  // One request
  bodyBytes: 1_000_000,
  jsonBodyBytes: 100_000,
  eventsPerRequest: 500,
  jsonDepth: 32,
  bodyDepth: 512,
  urlBytes: 8_192,
  headerBytes: 16_384,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  socketSilentMs: 150_000,
  closingMs: 1_000,
  credentialChars: 4_096,
  credentialsCached: 10_000,
  userTokenSeconds: 15 * 60,
  /** By how much the clocks of two processes may differ before one refuses what the other has just issued. */
  clockLeewaySeconds: 5,
  /** How long a session may rest, and how long it may last, before its person signs in again. */
  sessionIdleMs: 14 * 24 * 3_600_000,
  sessionMs: 90 * 24 * 3_600_000,
  /** Of two tabs that refresh at once the later gets what the earlier got; after that the old token is a copy. */
  refreshOverlapMs: 10_000,
  sessionsListed: 500,
  /** How long a sign-in with Google may take from its first step to its last, and the code for a command line may wait; how often what has ended is deleted. */
  signInMs: 10 * 60_000,
  exchangeCodeMs: 2 * 60_000,
  sessionSweepMs: 10 * 60_000,
  /** How long Google may take over one answer, and how long that may be. */
  googleMs: 5_000,
  googleAnswerBytes: 100_000,
  // Rates, over all processes that share a Redis. The first two per client address: an IPv4 address or an IPv6 /64
  collectPer10Seconds: 10_000,
  requestsPer10Seconds: 500,
  accountRequestsPerMinute: 1_200,
  /** Of a key without a limit of its own: what it may read. */
  keyReadsPerMinute: 3_000,
  /** Of an address, in a window: what each process takes from it before it asks what others have taken, and how many processes that allows for. */
  collectUnasked: 10,
  processesReckoned: 64,
  /** Of each kind (addresses, accounts, keys): how many one process counts for. */
  budgetsKept: 50_000,
  /** How long Redis may take to answer for a budget, and how long it is not asked again after it did not. */
  budgetAskMs: 200,
  budgetAwayMs: 1_000,
  /** Over all addresses, of each kind of secret: wrong guesses. */
  guessesPerMinute: 10,
  /** Refused requests that are logged one by one; the rest of a minute is counted. */
  refusalsLoggedPerMinute: 100,
  progressStreams: 100,
  // One process
  /** Sockets that may be open at once; further ones are closed at once. */
  connections: 10_000,
  /** Bodies that arrive, over all sockets, beyond which only what is as small as one event is taken; and those unpacked at once. */
  bodiesBytes: 64_000_000,
  bodiesUnpacked: 16,
  // One event
  eventNameChars: 128,
  eventIdChars: 256,
  urlChars: 4_096,
  titleChars: 512,
  identityChars: 256,
  userAgentChars: 1_024,
  shortTextChars: 64,
  metadataKeys: 64,
  metadataBytes: 32_768,
  futureMs: 24 * 3_600_000,
  publicKeyPastMs: 7 * 24 * 3_600_000,
  /** The earliest instant an event may claim: 1 January 1970. */
  earliestMs: 0,
  // The log
  partitionsDefault: 8,
  partitionsMax: 1_024,
  appendMaxEvents: 1_000,
  appendMaxBytes: 4_000_000,
  appendMaxWaitMs: 5,
  readPageEvents: 5_000,
  sessionTimeoutSeconds: 5,
  verifyPageEvents: 4_000,
  verifyPageBytes: 2_000_000,
  verifyRangeEvents: 100_000,
  // The queue
  packEvents: 1_000,
  packBytes: 1_000_000,
  packsInFlightPerPartition: 3,
  /** A pack goes out beside one in flight only with so many events: each job costs, whatever is in it. */
  packEventsBeside: 24,
  queueBytes: 256_000_000,
  queueMemoryShare: 0.6,
  ackStoredMs: 10_000,
  /** How long a log that refuses is tried again for ack=stored before the queue takes the events. */
  ackStoredRetryMs: 500,
  /** How long a log that was found away is not asked again by ack=stored, which goes to the queue at once. */
  logAwayMs: 1_000,
  controlQueueMs: 2_000,
  /** What may wait in one process for its hand-over; above it a request is refused as overloaded. */
  pendingBytes: 64_000_000,
  /** A Redis that does not answer a command in this time counts as down. */
  redisCommandMs: 1_000,
  redisProbeMs: 250,
  /** How long a request waits for the log where the queue cannot take it, before 503. */
  directAppendMs: 2_000,
  jobsAtWorkPerPartition: 32,
  jobLockMs: 5_000,
  jobStalledCheckMs: 2_000,
  drainMs: 5_000,
  // Privacy
  saltKeepMs: 48 * 3_600_000,
  saltSweepMs: 60_000,
  saltsCached: 50_000,
  // Quarantine
  quarantineBodiesPerApp: 1_000,
  quarantineExcerptChars: 300,
  /** Events that one command releases from quarantine. */
  quarantineReleases: 100,
  // Ledger
  ledgerHours: 10_000,
  /** Events of one app within the hour that is being folded that are counted to say how many are behind. */
  ledgerCountedEvents: 1_000_000,
  /** Of one read model and app: events it could not fold that the ledger tells apart. */
  ledgerDeadEvents: 10_000,
  /** What is read of a partition's queue to say what is under way; beyond it the answer says at least. */
  queuedPacksRead: 2_000,
  queuedBytesRead: 16_000_000,
  // Keyring
  keyringPollMs: 250,
  trustMs: 1_000,
  trustWaitMs: 2_000,
  /** How long one page of the control partition may take before the reading counts as failed. */
  keyringReadMs: 5_000,
  /** How long Redis may take to answer for the epoch. */
  epochMs: 200,
  // Corrections and definitions
  reasonChars: 1_000,
  definitionsPerApp: 200,
  /** Sets of definitions kept in memory as they were read. */
  definitionsRead: 500,
  metadataKeyChars: 128,
  measuresPerReport: 10,
  dimensionsPerReport: 2,
  filterChars: 4_000,
  filterConditions: 100,
  // Enrichment
  /** A longer value of a dimension is cut, and ends in "…". */
  dimensionValueChars: 512,
  /** Per kind of text (URLs, referrers, user agents, addresses): how many, and characters, one of two generations remembers. */
  textsRemembered: 10_000,
  textsRememberedChars: 2_000_000,
  languagesRemembered: 1_000,
  // People
  emailChars: 254,
  allowedDomains: 20,
  organisations: 1_000,
  membersPerOrganisation: 10_000,
  invitationsPerOrganisation: 1_000,
  grantsPerInvitation: 50,
  /** Keys that pass to somebody else in one command. */
  keysAdopted: 500,
  invitationDaysDefault: 7,
  invitationDaysMax: 30,
  auditExportRows: 100_000,
  auditExports: 10,
  /** How long one may take, to a client that reads slowly, before it is broken off. */
  auditExportMs: 10 * 60_000,
  /** Keys or grants that one entry of the audit log lists; it counts the others. */
  auditListItems: 100,
  // Commands
  commandAttempts: 8,
  /** How long a command about an app's own data may take, with all its attempts, before 503. */
  appCommandMs: 10_000,
  /** How many commands back a retry is recognised and answered as the first time. */
  commandsRemembered: 10_000,
  rotationOverlapSecondsDefault: 86_400,
  rotationOverlapSecondsMax: 30 * 86_400,
  keyRequestsPerMinuteMax: 10_000_000,
  allowedOrigins: 50,
  originChars: 256,
  // Queries
  pageDefault: 50,
  pageMax: 500,
  /** How many events one page of a filtered list looks at before it answers what it has, with a cursor to go on. */
  browseScanEvents: 20_000,
  waitForEventMs: 5_000,
  timeseriesPoints: 5_000,
  /** Rows of one report's answer; beyond them it is refused, with how to ask for fewer. */
  reportRows: 10_000,
  /** Stored cells (one per day or quarter of an hour, group of values, and bots or not) that are read for a report; the log answers beyond. */
  reportCells: 200_000,
  /** Events of one app in half an hour beyond which it is not followed live, and what is kept of all apps to ask again. */
  liveEvents: 200_000,
  liveEventsKept: 500_000,
  liveAppsKept: 1_000,
  /** Events of one visit that are read to list them, and visits that are looked at for a page of a person's events. */
  visitEventsRead: 20_000,
  timelineVisits: 500,
  /** How many events of an app an answer from the log reads, and how long it may take, before it is refused. */
  logAnswerEvents: 5_000_000,
  logAnswerMs: 120_000,
  /** Answers from the log that wait for their turn in one process; further ones are refused as overloaded. */
  logAnswersQueued: 16,
  logRetryAfterSeconds: 5,
  /** Differences that a recount names one by one. */
  recountDifferences: 500,
  /** How often an answer under way says how far it is. */
  logProgressMs: 200,
  /** The thread's heap; what it counts in stands in arrays beside the heap. */
  logThreadHeapMb: 1_024,
  /** How long the thread that answers from the log rests before it is ended. */
  logThreadIdleMs: 30_000,
  logThreadStopMs: 5_000,
  /** A reader who has waited so long has the store asked whether it lives, and this is how long that may take. */
  storeSuspectMs: 3_000,
  storeAnswerMs: 2_000,
  cacheEntries: 10_000,
  cacheBytes: 32_000_000,
  cacheTtlSeconds: 3_600,
  // Deliveries and stores
  /** How long a delivery is remembered, so that the ledger counts it once; no queue holds a pack longer. */
  deliveryKeepMs: 30 * 24 * 3_600_000,
  pruneMs: 60_000,
  /** How long a process waits at start for a database that is not up yet. */
  storeStartMs: 120_000,
  storeCheckMs: 5_000,
  /** From the signal to the end of a process that drains. */
  shutdownMs: 25_000,
  workerRestartMs: 1_000,
  // Web visits
  /** Runs of log positions a visit holds in its row; more go to rows of their own. */
  visitRunsKept: 1_000,
  /** Engagement before the first interactive event of a client that is kept in case an earlier one comes. */
  visitLeadingKept: 1_000,
  /** Different values of dimensions that one visit counts under; it counts under no further ones, its events do. */
  visitValuesKept: 20_000,
  /** Visits a projector keeps in memory per partition; the rest is read again when needed. */
  visitsKept: 40_000,
  /** Values of dimensions, by day, that a projector keeps the refs of per partition. */
  visitRefsKept: 200_000,
  // Projector
  foldMaxEvents: 5_000,
  rebuildMaxEvents: 50_000,
  leaseMs: 5_000,
  foldMinEvents: 100,
  /** At the head of the log, the time from one fold of a unit to its next. */
  foldPaceMs: 100,
  /** The same after a fold of so many events and more: what makes one costs more than the wait is noticed. */
  foldBusyEvents: 200,
  foldBusyPaceMs: 400,
  /** A fold's transaction that takes longer makes the next stretch smaller; one four times as fast, larger. What a smaller one saves is little. */
  foldTargetMs: 5_000,
  /** The same beside appends to one file, which wait for it; and for a rebuild there. */
  foldBesideAppendsMs: 50,
  rebuildBesideAppendsMs: 1_000,
  projectorThreadStopMs: 10_000,
  projectedAppsKept: 50_000,
  /** Events that were read for one read model and are kept for the others that follow, over all partitions; a page of each at least. */
  recentEventsKept: 20_000,
  rowsPerStatement: 500,
  /** Of a build that nobody reads any more, in one transaction. */
  dropRows: 2_000,
  /** Builds kept besides the live one, for the way back. */
  keptBuilds: 1,
  keptBuildsMax: 20,
  /** How many pages of the log the fastest of several rebuilds may be ahead of the slowest. */
  sharedPagesAhead: 2,
  sharedPageEvents: 2_500,
  /** A rebuild of fewer events starts no threads. */
  threadedEvents: 50_000,
  foldThreadStopMs: 10_000,
  differencesShown: 20,
  progressMs: 500,
  rebuildRetryMs: 60_000,
  pollMs: 100,
  /** What a projector keeps in memory per partition; the rest is read again when needed. */
  summaryAppsKept: 5_000,
  summaryVisitorsKept: 100_000,
  summarySlotsKept: 30_000,
  userStatsKept: 5_000,
  /** Runs of log positions kept per person; whoever has more is counted again from the app's whole log when corrected. */
  personRuns: 1_000,
  /** Distinct values per app, dimension and local day; events that say further ones count under "(other)". */
  valuesPerDay: 100_000,
  webAppsKept: 5_000,
  webVisitorsKept: 100_000,
  webValuesKept: 100_000,
  /** From this length of its content on, changes of a row of values wait beside it; how many bytes of them a projector keeps per partition. */
  cellPendingFromBytes: 16_384,
  cellsPendingBytes: 16_000_000,
  recentEvents: 20,
  // Import
  importLineBytes: 1_000_000,
  csvRecordLines: 1_000,
  importBatchEvents: 4_000,
  /** How long an import goes on before it looks whether its app is still there. */
  importLookMs: 500,
  badLinesShown: 100,
} as const
