// A page of what the append chain was made of: for each event its position and the bytes that its content hash covers.

/** One row of the append chain. */
export interface AppendMark {
  readonly first: number
  readonly last: number
  readonly hash: Buffer
}

export interface SealedPage {
  readonly count: number
  /** Of all seals and data in it. */
  readonly bytes: number
  position(index: number): number
  sealBytes(index: number): number
  /** Seal and, behind it, data: valid until the next call. */
  sealed(index: number): Uint8Array
}

export interface SealedRows {
  /** Events after `after` up to `upTo`, in position order, at most `limit`. */
  page(partition: number, after: number, upTo: number, limit: number): Promise<SealedPage>
  /** Appends that begin after `after`, up to `upTo`, in position order, at most `limit`. */
  appends(partition: number, after: number, upTo: number, limit: number): Promise<AppendMark[]>
  /** The last append that begins at or before a position. */
  appendAt(partition: number, position: number): Promise<AppendMark | undefined>
  /** The greatest position of any event of a partition; 0 when there is none. */
  newest(partition: number): Promise<number>
  close(): Promise<void>
}
