// Histories of a few events and the numbers that they mean, one rule each.

export const DAY = '2026-03-10'
export const BROWSER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
export const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

export type Sent = Readonly<Record<string, unknown>>
/** [value, events, visitors, visits, pageviews] */
export type Row = readonly [string, number, number, number, number]

export interface VisitCase {
  readonly name: string
  readonly timezone?: string
  /** Requests, one after the other. */
  readonly sent: readonly (readonly Sent[])[]
  readonly then: readonly {
    /** Without it: the whole of DAY. */
    readonly params?: string
    readonly overview?: Readonly<Record<string, unknown>>
    readonly rows?: Readonly<Record<string, readonly Row[]>>
  }[]
}

type Fields = Readonly<Record<string, unknown>>

/** Of one visitor, unless the fields say otherwise. `time` is hh:mm or hh:mm:ss.sss of DAY, or a whole instant. */
function view(time: string, url = '/', fields: Fields = {}): Sent {
  return sent('pageview', time, { url, ...fields })
}

function sent(event: string, time: string, fields: Fields = {}): Sent {
  const timestamp = time.includes('T') ? time : `${DAY}T${time.length === 5 ? `${time}:00` : time}Z`
  return { event, timestamp, anonymousId: 'ann', ...fields }
}

const nobody = { anonymousId: undefined }
const home = { ...nobody, ipAddress: '81.2.69.1', userAgent: BROWSER }
const engagement = (time: string, fields: Fields = {}): Sent => sent('engagement', time, { url: '/', ...fields })

const BOUNCES: VisitCase[] = [
  {
    name: 'one pageview is a bounce of no duration',
    sent: [[view('10:00')]],
    then: [{ overview: { visitors: 1, visits: 1, pageviews: 1, events: 1, bounceRate: 1, visitDurationSeconds: 0, viewsPerVisit: 1 } }],
  },
  {
    name: 'a second pageview is no bounce, and the time between them is the duration',
    sent: [[view('10:00'), view('10:10', '/b')]],
    then: [{ overview: { visits: 1, pageviews: 2, bounceRate: 0, visitDurationSeconds: 600, viewsPerVisit: 2 } }],
  },
  {
    name: 'the same page seen twice is no bounce',
    sent: [[view('10:00'), view('10:00:05.000')]],
    then: [{ overview: { bounceRate: 0, visitDurationSeconds: 5 } }],
  },
  {
    name: 'an interactive event cancels the bounce and extends the visit',
    sent: [[view('10:00'), sent('signup', '10:01')]],
    then: [{ overview: { visits: 1, pageviews: 1, events: 2, bounceRate: 0, visitDurationSeconds: 60, viewsPerVisit: 1 } }],
  },
  {
    name: 'an event that is not interactive neither cancels the bounce nor extends the visit',
    sent: [[view('10:00'), sent('scroll', '10:01', { interactive: false })]],
    then: [{ overview: { visits: 1, events: 2, bounceRate: 1, visitDurationSeconds: 0 } }],
  },
  {
    name: 'engagement extends a visit, which stays a bounce',
    sent: [[view('10:00'), engagement('10:00:40.000')]],
    then: [{ overview: { visits: 1, events: 2, pageviews: 1, bounceRate: 1, visitDurationSeconds: 40 } }],
  },
  {
    name: 'a visit without a pageview is no bounce, and no ratio is about it',
    sent: [[sent('order', '10:00')]],
    then: [{ overview: { visits: 1, pageviews: 0, bounceRate: null, viewsPerVisit: null, visitDurationSeconds: 0 } }],
  },
  {
    name: 'ratios range over visits with a pageview, durations over all',
    sent: [[view('10:00'), sent('order', '10:00', { anonymousId: 'bob' }), sent('order', '10:02', { anonymousId: 'bob' })]],
    then: [{ overview: { visits: 2, bounceRate: 1, viewsPerVisit: 1, visitDurationSeconds: 60 } }],
  },
  {
    name: 'bounce rate, views and duration are means over visits',
    sent: [[view('10:00'), view('10:00', '/', { anonymousId: 'bob' }), view('10:01', '/b', { anonymousId: 'bob' }), view('10:04', '/c', { anonymousId: 'bob' })]],
    then: [{ overview: { visitors: 2, visits: 2, pageviews: 4, bounceRate: 0.5, viewsPerVisit: 2, visitDurationSeconds: 120 } }],
  },
]

const CUTS: VisitCase[] = [
  {
    name: 'a gap of 30 minutes cuts nothing',
    sent: [[view('10:00'), view('10:30')]],
    then: [{ overview: { visitors: 1, visits: 1, bounceRate: 0, visitDurationSeconds: 1_800 } }],
  },
  {
    name: 'a longer gap makes two visits of one visitor',
    sent: [[view('10:00'), view('10:30:00.001')]],
    then: [{ overview: { visitors: 1, visits: 2, bounceRate: 1, visitDurationSeconds: 0 } }],
  },
  {
    name: 'a visit lasts as long as something happens within every 30 minutes',
    sent: [[view('10:00'), view('10:29'), view('10:58'), view('11:27')]],
    then: [{ overview: { visits: 1, visitDurationSeconds: 5_220, viewsPerVisit: 4 } }],
  },
  {
    name: 'engagement keeps a visit open',
    sent: [[view('10:00'), engagement('10:25'), view('10:50')]],
    then: [{ overview: { visits: 1, bounceRate: 0, visitDurationSeconds: 3_000 } }],
  },
  {
    name: 'an event that is not interactive does not keep a visit open',
    sent: [[view('10:00'), sent('scroll', '10:25', { interactive: false }), view('10:50')]],
    then: [{ overview: { visits: 2, bounceRate: 1, visitDurationSeconds: 0 } }],
  },
  {
    name: 'engagement alone starts no visit',
    sent: [[engagement('10:00')]],
    then: [{ overview: { visitors: 1, visits: 0, events: 1, bounceRate: null, visitDurationSeconds: null, viewsPerVisit: null } }],
  },
  {
    name: 'a visit begins with its first interactive event',
    sent: [[engagement('10:00'), view('10:10'), engagement('10:11')]],
    then: [{ overview: { visits: 1, events: 3, bounceRate: 1, visitDurationSeconds: 60 } }],
  },
  {
    name: 'the order in which events arrive does not matter',
    sent: [[view('10:20', '/c')], [view('10:00', '/a')], [view('10:10', '/b')]],
    then: [{ overview: { visits: 1, visitDurationSeconds: 1_200 }, rows: { entryPage: [['/a', 3, 1, 1, 3]], exitPage: [['/c', 3, 1, 1, 3]] } }],
  },
  {
    name: 'a late event joins two visits into one',
    sent: [[view('10:00'), view('10:50')], [view('10:25')]],
    then: [{ overview: { visits: 1, pageviews: 3, visitDurationSeconds: 3_000, bounceRate: 0 } }],
  },
  {
    name: 'an explicit session is one visit over hours',
    sent: [[view('08:00', '/', { sessionId: 's' }), view('13:00', '/b', { sessionId: 's' })]],
    then: [{ overview: { visitors: 1, visits: 1, visitDurationSeconds: 18_000 } }],
  },
  {
    name: 'two explicit sessions are two visits within a minute',
    sent: [[view('10:00', '/', { sessionId: 's' }), view('10:00:30.000', '/', { sessionId: 't' })]],
    then: [{ overview: { visitors: 1, visits: 2, bounceRate: 1 } }],
  },
  {
    name: 'a new campaign does not cut a visit, which belongs to the first',
    sent: [[view('10:00', '/?utm_source=a'), view('10:05', '/?utm_source=b'), view('11:00', '/?utm_source=b')]],
    then: [{ overview: { visits: 2 }, rows: { source: [['a', 2, 1, 1, 2], ['b', 1, 1, 1, 1]], utmSource: [['a', 2, 1, 1, 2], ['b', 1, 1, 1, 1]] } }],
  },
] // prettier-ignore

const PEOPLE: VisitCase[] = [
  {
    name: 'signing in does not cut a visit, and is the same person',
    sent: [[view('10:00'), view('10:05', '/', { userId: 'u' }), view('10:10', '/', { userId: 'u' })]],
    then: [{ overview: { visitors: 1, visits: 1, visitorsBy: { userId: 1, anonymousId: 0, cookieless: 0 } } }],
  },
  {
    name: 'visits before the sign-in are those of the user, from the first event on',
    sent: [[view('08:00')], [view('10:00', '/', { userId: 'u' }), view('12:00', '/', { userId: 'u', anonymousId: 'phone' })]],
    then: [{ overview: { visitors: 1, visits: 3, visitorsBy: { userId: 1, anonymousId: 0, cookieless: 0 } } }],
  },
  {
    name: 'a second user of one browser is another person in the same visit',
    sent: [[view('10:00'), view('10:05', '/', { userId: 'u' }), view('10:10', '/', { userId: 'v' })]],
    then: [{ overview: { visitors: 2, visits: 1, visitorsBy: { userId: 2, anonymousId: 0, cookieless: 0 } } }],
  },
  {
    name: 'people without any id are told apart by address and browser',
    sent: [[view('10:00', '/', home), view('10:05', '/', home), view('10:05', '/', { ...home, ipAddress: '81.2.69.2' }), view('10:05', '/', { ...home, userAgent: `${BROWSER} Edg/120.0` })]],
    then: [{ overview: { visitors: 3, visits: 3, visitorsBy: { userId: 0, anonymousId: 0, cookieless: 3 } } }],
  },
  {
    name: 'an event of nobody counts as an event, of no visitor and no visit',
    sent: [[sent('order', '10:00', nobody)]],
    then: [{ overview: { visitors: 0, visits: 0, events: 1, bounceRate: null } }],
  },
  {
    name: 'a user without a browser has visits too',
    sent: [[sent('order', '10:00', { ...nobody, userId: 'u' }), sent('order', '10:10', { ...nobody, userId: 'u' })]],
    then: [{ overview: { visitors: 1, visits: 1, visitDurationSeconds: 600 } }],
  },
]

const DAYS: VisitCase[] = [
  {
    name: 'midnight does not cut a visit: it counts on the day on which it starts, its events on theirs',
    sent: [[view('23:50'), view('2026-03-11T00:10:00Z')]],
    then: [
      { overview: { visitors: 1, visits: 1, pageviews: 1, bounceRate: 0, visitDurationSeconds: 1_200, viewsPerVisit: 2 } },
      { params: 'from=2026-03-11&to=2026-03-12', overview: { visitors: 1, visits: 0, pageviews: 1, bounceRate: null, visitDurationSeconds: null } },
      { params: 'from=2026-03-10&to=2026-03-12', overview: { visitors: 1, visits: 1, pageviews: 2 } },
    ],
  },
  {
    name: 'days are those of the app: in Kathmandu this one begins at 18:15 UTC',
    timezone: 'Asia/Kathmandu',
    sent: [[view('2026-03-09T18:14:59.999Z', '/before'), view('2026-03-09T18:15:00Z', '/', { anonymousId: 'bob' }), view('18:14:59.999', '/', { anonymousId: 'bob' })]],
    then: [{ overview: { visitors: 1, visits: 2, pageviews: 2 }, rows: { page: [['/', 2, 1, 2, 2]] } }],
  },
  {
    name: 'the salt of a day ends at midnight, and with it the visit of who has no other id',
    sent: [[view('23:50', '/', home), view('2026-03-11T00:10:00Z', '/', home)]],
    then: [{ params: 'from=2026-03-10&to=2026-03-12', overview: { visitors: 2, visits: 2, bounceRate: 1, visitorsBy: { userId: 0, anonymousId: 0, cookieless: 2 } } }],
  },
  {
    name: 'an hour that is skipped does not lengthen a visit',
    timezone: 'Europe/Berlin',
    sent: [[view('2026-03-29T01:50:00+01:00'), view('2026-03-29T03:10:00+02:00')]],
    then: [{ params: 'from=2026-03-29&to=2026-03-30', overview: { visits: 1, visitDurationSeconds: 1_200 } }],
  },
]

const PAGES: VisitCase[] = [
  {
    name: 'a visit has an entry page and an exit page, and its events all of its pages',
    sent: [[view('10:00', '/a'), view('10:01', '/b'), view('10:02', '/c')]],
    then: [{ rows: { entryPage: [['/a', 3, 1, 1, 3]], exitPage: [['/c', 3, 1, 1, 3]], page: [['/a', 1, 1, 1, 1], ['/b', 1, 1, 1, 1], ['/c', 1, 1, 1, 1]] } }],
  },
  {
    name: 'a page seen twice in a visit is one visit of it',
    sent: [[view('10:00', '/a'), view('10:01', '/b'), view('10:02', '/a')]],
    then: [{ rows: { page: [['/a', 2, 1, 1, 2], ['/b', 1, 1, 1, 1]], exitPage: [['/a', 3, 1, 1, 3]] } }],
  },
  {
    name: 'entry and exit are pageviews, whatever happens before and after',
    sent: [[sent('open', '10:00', { url: '/x' }), view('10:01', '/a'), sent('order', '10:02', { url: '/y' })]],
    then: [{ rows: { entryPage: [['/a', 3, 1, 1, 1]], exitPage: [['/a', 3, 1, 1, 1]], page: [['/a', 1, 1, 1, 1], ['/x', 1, 1, 1, 0], ['/y', 1, 1, 1, 0]] } }],
  },
  {
    name: 'an event that is not interactive has a page of its own, but no part in the visit',
    sent: [[view('10:00', '/a'), sent('scroll', '10:01', { url: '/a', interactive: false })]],
    then: [{ rows: { page: [['/a', 2, 1, 1, 1]], entryPage: [['/a', 1, 1, 1, 1]], event: [['pageview', 1, 1, 1, 1], ['scroll', 1, 1, 0, 0]] } }],
  },
  {
    name: 'a visit has one arrival, that of its first interactive event with a url',
    sent: [[sent('open', '10:00'), view('10:01', 'https://example.com/', { referrer: 'https://www.google.com/' }), view('10:02', 'https://example.com/b', { referrer: 'https://example.com/' })]],
    then: [{ rows: { channel: [['Organic Search', 3, 1, 1, 2]], source: [['Google', 3, 1, 1, 2]], referrer: [['google.com', 3, 1, 1, 2]] } }],
  },
  {
    name: 'who goes on after a gap arrives directly',
    sent: [[view('10:00', 'https://example.com/', { referrer: 'https://t.co/x' }), view('11:00', 'https://www.example.com/b', { referrer: 'https://example.com/' })]],
    then: [{ rows: { channel: [['Direct', 1, 1, 1, 1], ['Organic Social', 1, 1, 1, 1]], source: [['Twitter/X', 1, 1, 1, 1]] } }],
  },
  {
    name: 'what servers send has no arrival and no page',
    sent: [[sent('order', '10:00', { ...nobody, userId: 'u' })]],
    then: [{ rows: { channel: [], page: [], entryPage: [], event: [['order', 1, 1, 1, 0]] } }],
  },
] // prettier-ignore

export const CASES: readonly VisitCase[] = [...BOUNCES, ...CUTS, ...PEOPLE, ...DAYS, ...PAGES]
