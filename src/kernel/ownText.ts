// A piece of a longer text keeps all of it in memory for as long as somebody holds the piece. Who keeps texts for long keeps
// copies.

/** The same text, in memory of its own. */
export function ownText(text: string): string {
  return ` ${text}`.slice(1)
}
