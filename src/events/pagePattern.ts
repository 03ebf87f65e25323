// Page patterns of goals: `*` stands for any run of characters, the empty one too; everything else for itself.

export function matchesPage(pattern: string, page: string): boolean {
  const [start = '', ...rest] = pattern.split('*')
  const end = rest.pop()
  if (end === undefined) return page === pattern
  if (!page.startsWith(start)) return false
  // The leftmost place is right for each middle part: a later one leaves less room for those behind it.
  let at = start.length
  for (const part of rest) {
    const found = page.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return page.length - end.length >= at && page.endsWith(end)
}
