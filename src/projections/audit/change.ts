// What the audit log says of one event, and what is at hand to say it.
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Sides } from './facts.ts'
import type { Subjects } from './subjects.ts'

export const SUBJECT_KINDS = ['app', 'key', 'member', 'invitation', 'organisation', 'account', 'projection'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]

export interface Change extends Sides {
  readonly subject: { readonly kind: SubjectKind; readonly id: string; readonly name?: string | undefined }
  readonly appId?: string | undefined
  /** Who acted where the command names nobody: somebody who signs in acts for themselves. */
  readonly actor?: string | undefined
  /** Whose log it stands in. */
  readonly organisations: readonly string[]
}

export interface Folding {
  readonly subjects: Subjects
  /** Where an account belongs at an event, those included that it joins by the same command. */
  organisationsOf(accountId: string, event: FoldEvent): readonly string[]
}
