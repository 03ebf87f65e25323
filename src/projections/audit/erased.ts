// What is left to say of an event whose content was erased: that it was there, who acted, and what it was about as far as its
// stream tells. It changes no state, exactly as it allows nobody anything any more.
import type { FoldEvent } from '../../events/catalogue.ts'
import { FIRST_ORGANISATION } from '../../events/organisations.ts'
import { ownerOf } from './apps.ts'
import type { Change, Folding } from './change.ts'
import type { Wanted } from './subjects.ts'

export function wantErased(event: FoldEvent, want: Wanted): void {
  const [kind, id] = streamOf(event)
  if (kind === 'account') want.of('member', id)
  if (kind === 'app' || kind === 'key') want.one('app', event.appId)
}

export function tellErased(folding: Folding, event: FoldEvent): readonly Change[] {
  const [kind, id] = streamOf(event)
  if (kind === 'account') return [{ subject: { kind, id }, organisations: folding.organisationsOf(id, event) }]
  if (kind === 'organisation') return [{ subject: { kind, id }, organisations: [id] }]
  if (kind === 'app' || kind === 'key') return [{ subject: { kind, id }, appId: event.appId, organisations: ownerOf(folding.subjects, event.appId) }]
  return kind === 'projection' ? [{ subject: { kind, id }, organisations: [FIRST_ORGANISATION] }] : []
}

function streamOf({ stream }: FoldEvent): [kind: string, id: string] {
  const [kind = '', id = ''] = stream?.split(':', 2) ?? []
  return [kind, id]
}
