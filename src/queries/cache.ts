// Where answers wait to be asked for again. A key names everything an answer depends on, so entries are never wrong, only
// unused; and a cache that fails is a cache that has nothing: it never makes a question fail.

export interface AnswerCache {
  /** Undefined when it is not there, or cannot be reached in time. */
  get(key: string): Promise<string | undefined>
  /** Never throws. */
  set(key: string, answer: string): Promise<void>
  close(): Promise<void>
}
