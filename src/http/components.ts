// The schemas of the OpenAPI document by name: the very objects that requests are checked against, and that the answers of
// the tests are held to.
import { acceptInvitationBody } from '../commands/acceptInvitation.ts'
import { changeMemberRoleBody } from '../commands/changeMemberRole.ts'
import { collectBodySchema, eventInputSchema } from '../commands/eventInput.ts'
import { correctionBody } from '../commands/correctEvent.ts'
import { createOrganisation } from '../commands/createOrganisation.ts'
import { grantAppBody } from '../commands/grantApp.ts'
import { inviteMemberBody } from '../commands/inviteMember.ts'
import { issueApiKey } from '../commands/issueApiKey.ts'
import { reviseDefinitionBody } from '../commands/reviseDefinition.ts'
import { registerApp } from '../commands/registerApp.ts'
import { retractionBody } from '../commands/retractEvent.ts'
import { revokeApiKey } from '../commands/revokeApiKey.ts'
import { rotateApiKey } from '../commands/rotateApiKey.ts'
import { transferAppBody } from '../commands/transferApp.ts'
import { updateAppBody } from '../commands/updateApp.ts'
import { updateOrganisationBody } from '../commands/updateOrganisation.ts'
import { ERRORS } from '../errors.ts'
import { appResult, appsResult } from '../queries/apps.ts'
import { auditResult } from '../queries/auditSchemas.ts'
import { breakdown } from '../queries/breakdown.ts'
import { eventSummary } from '../queries/eventSummary.ts'
import { browseEvents, oneEvent } from '../queries/events.ts'
import { goals as goalList } from '../queries/goals.ts'
import { grantsResult } from '../queries/grants.ts'
import { invitationsResult } from '../queries/invitations.ts'
import { keysResult } from '../queries/keys.ts'
import { ledgerResult, quarantinedResult, quarantineResult } from '../queries/ledgerSchemas.ts'
import { live } from '../queries/live.ts'
import { membersResult } from '../queries/members.ts'
import { organisationResult, organisationsResult } from '../queries/organisations.ts'
import { overview } from '../queries/overview.ts'
import { projectionsResult } from '../queries/projections.ts'
import { timeline } from '../queries/timeline.ts'
import { timeseries } from '../queries/timeseries.ts'
import { restatementReasons, restatements } from '../queries/restatements.ts'
import { userStats } from '../queries/userStats.ts'
import { visits } from '../queries/visits.ts'
import { objectOf, withAsOf } from './questions.ts'
import * as analytics from './routes/analytics.ts'
import * as apps from './routes/apps.ts'
import * as auditing from './routes/audit.ts'
import { collectParameters } from './routes/collect.ts'
import * as definitions from './routes/definitions.ts'
import * as corrections from './routes/corrections.ts'
import * as events from './routes/events.ts'
import { diffAnswer, diffParameters } from './routes/diff.ts'
import * as google from './routes/google.ts'
import * as goals from './routes/goals.ts'
import * as grants from './routes/grants.ts'
import { healthSchema } from './routes/health.ts'
import * as invitations from './routes/invitations.ts'
import { invitationAnswer, invitationLinkParameters } from './routes/invitationPage.ts'
import * as keys from './routes/keys.ts'
import { ledgerParameters } from './routes/ledger.ts'
import * as members from './routes/members.ts'
import * as organisations from './routes/organisations.ts'
import * as people from './routes/people.ts'
import { logHeadsAnswer } from './routes/logHeads.ts'
import * as projections from './routes/projections.ts'
import * as quarantine from './routes/quarantine.ts'
import { recountAnswer, recountSchema } from './routes/recounts.ts'
import * as restating from './routes/restatements.ts'
import { rootSchema } from './routes/root.ts'
import * as accounts from './routes/accounts.ts'
import * as sessions from './routes/sessions.ts'
import * as signIn from './routes/signIn.ts'
import * as web from './routes/web.ts'

const whole = { type: 'integer', minimum: 0 } as const

const problem = objectOf(
  {
    type: { type: 'string', pattern: '^urn:recount:problem:' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: objectOf(
        { path: { type: 'string', description: 'JSON pointer or parameter' }, detail: { type: 'string' }, code: { type: 'string', description: 'Why an event was refused' } },
        ['path', 'detail'],
      ),
    },
  },
  ['type', 'title', 'status', 'code', 'detail'],
)

const collectAnswer = objectOf(
  {
    accepted: whole,
    ids: { type: 'array', items: { type: ['string', 'null'] }, description: 'One per input, null where rejected' },
    rejected: {
      type: 'array',
      items: objectOf({ index: whole, code: { type: 'string' }, detail: { type: 'string' } }, ['index', 'code', 'detail']),
    },
    positions: { type: 'array', items: { type: ['integer', 'null'] }, description: 'Places in the log (ack=stored)' },
    duplicates: { ...whole, description: 'How many were stored before (ack=stored)' },
  },
  ['accepted', 'ids', 'rejected'],
)

export const COMPONENTS = {
  Problem: problem,
  Health: healthSchema,
  LogHeads: logHeadsAnswer,
  Root: rootSchema,
  SignIn: signIn.signInSchema,
  SignInAnswer: signIn.signInAnswer,
  InvitationLinkParameters: invitationLinkParameters,
  Invitation: invitationAnswer,
  GoogleParameters: google.googleParameters,
  ExchangeBody: google.exchangeBody,
  Sessions: accounts.sessionsAnswer,
  SessionParameters: accounts.sessionParameters,
  AccountParameters: accounts.accountParameters,
  RefreshBody: sessions.refreshBody,
  RefreshAnswer: sessions.refreshAnswer,
  SignOutBody: sessions.signOutBody,
  Me: sessions.meAnswer,
  RegisterApp: registerApp.schema,
  UpdateAppBody: updateAppBody,
  AppIdParameters: apps.appIdParameters,
  ListAppsParameters: apps.listAppsParameters,
  AppId: apps.appIdAnswer,
  App: withAsOf(appResult),
  Apps: withAsOf(appsResult),
  TransferAppBody: transferAppBody,
  TransferredApp: apps.transferredSchema,
  ListGrantsParameters: grants.listGrantsParameters,
  GrantParameters: grants.grantParameters,
  GrantAppBody: grantAppBody,
  Granted: grants.grantedSchema,
  GrantEnded: grants.grantEndedSchema,
  Grants: withAsOf(grantsResult),
  ListOrganisationsParameters: organisations.listOrganisationsParameters,
  OrganisationIdParameters: organisations.organisationIdParameters,
  CreateOrganisation: createOrganisation.schema,
  UpdateOrganisationBody: updateOrganisationBody,
  OrganisationId: organisations.organisationIdAnswer,
  Organisation: withAsOf(organisationResult),
  Organisations: withAsOf(organisationsResult),
  ListMembersParameters: members.listMembersParameters,
  MemberParameters: members.memberParameters,
  RemoveMemberParameters: members.removeMemberParameters,
  ChangeMemberRoleBody: changeMemberRoleBody,
  ChangedMember: members.changedMemberSchema,
  RemovedMember: members.removedMemberSchema,
  Members: withAsOf(membersResult),
  ListInvitationsParameters: invitations.listInvitationsParameters,
  InviteParameters: invitations.inviteParameters,
  InvitationParameters: invitations.invitationParameters,
  InviteMemberBody: inviteMemberBody,
  AcceptInvitationBody: acceptInvitationBody,
  Invited: invitations.invitedSchema,
  Joined: invitations.joinedSchema,
  Invitations: withAsOf(invitationsResult),
  IssueApiKey: issueApiKey.schema,
  IssuedKey: keys.issuedKeySchema,
  RotateApiKey: rotateApiKey.schema,
  RevokeApiKey: revokeApiKey.schema,
  RevokedKey: keys.revokedKeySchema,
  ListKeysParameters: keys.listKeysParameters,
  Keys: withAsOf(keysResult),
  Event: eventInputSchema,
  CollectBody: collectBodySchema({ $ref: '#/components/schemas/Event' }),
  CollectParameters: collectParameters,
  CollectAnswer: collectAnswer,
  EventSummaryParameters: analytics.eventSummaryParameters,
  EventSummary: eventSummary.result,
  UserStatsParameters: analytics.userStatsParameters,
  UserStats: userStats.result,
  DiffParameters: diffParameters,
  DiffAnswer: diffAnswer,
  Recount: recountSchema,
  RecountAnswer: recountAnswer,
  OverviewParameters: web.overviewParameters,
  Overview: overview.result,
  TimeseriesParameters: web.timeseriesParameters,
  Timeseries: timeseries.result,
  BreakdownParameters: web.breakdownParameters,
  Breakdown: breakdown.result,
  LiveParameters: web.liveParameters,
  Live: live.result,
  VisitsParameters: people.visitsParameters,
  Visits: visits.result,
  TimelineParameters: people.timelineParameters,
  Timeline: timeline.result,
  EventsParameters: events.eventsParameters,
  Events: browseEvents.result,
  OneEventParameters: events.oneEventParameters,
  OneEvent: oneEvent.result,
  CorrectionParameters: corrections.correctionParameters,
  CorrectionBody: correctionBody,
  RetractionBody: retractionBody,
  Corrected: corrections.correctedAnswer,
  RestatementsParameters: restating.restatementsParameters,
  Restatements: restatements.result,
  RestatementReasonsParameters: restating.restatementReasonsParameters,
  RestatementReasons: restatementReasons.result,
  DefineDimensionBody: definitions.defineDimensionBody,
  DefineGoalBody: definitions.defineGoalBody,
  DefineReportBody: definitions.defineReportBody,
  ReviseDefinitionBody: reviseDefinitionBody,
  Defined: definitions.definedAnswer,
  DefinitionsParameters: definitions.definitionsParameters,
  DefinitionParameters: definitions.definitionParameters,
  Definitions: definitions.definitionsResult,
  Definition: definitions.definitionResult,
  GoalsParameters: goals.goalsParameters,
  GoalParameters: goals.goalParameters,
  ReportParameters: goals.reportParameters,
  Goals: goalList.result,
  Goal: goals.goalAnswer,
  Report: goals.reportAnswer,
  AuditParameters: auditing.auditParameters,
  AuditExportParameters: auditing.auditExportParameters,
  AuditLog: withAsOf(auditResult),
  LedgerParameters: ledgerParameters,
  Ledger: ledgerResult,
  QuarantineParameters: quarantine.quarantineParameters,
  QuarantinedParameters: quarantine.quarantinedParameters,
  DiscardParameters: quarantine.discardParameters,
  ReleaseParameters: quarantine.releaseParameters,
  ReleaseBody: quarantine.releaseBody,
  ReleaseManyBody: quarantine.releaseManyBody,
  Quarantine: quarantineResult,
  Quarantined: quarantinedResult,
  Released: quarantine.releasedAnswer,
  ReleasedMany: quarantine.releasedManyAnswer,
  Discarded: quarantine.discardedAnswer,
  Projections: projectionsResult,
  ProjectionParameters: projections.projectionParameters,
  Rebuild: projections.rebuildSchema,
  Switch: projections.switchSchema,
  Rollback: projections.rollbackSchema,
  Drop: projections.dropSchema,
  NoBody: projections.NO_BODY,
  Started: projections.startedSchema,
} as const
