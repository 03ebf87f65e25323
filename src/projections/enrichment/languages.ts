// A language in the one spelling that BCP 47 gives it, so that en_us and en-US are one value. What is no language tag has none:
// a header's list of languages, a system's "C", a word.
import { Generations } from '../../kernel/generations.ts'
import { LIMITS } from '../../limits.ts'

/** Raised with any change here. */
export const LANGUAGE_RULES = 1

// Longer first parts are well formed, but no language has one.
const LANGUAGE_FIRST = /^[a-z]{2,3}(?:-|$)/

const languages = new Generations(canonical, LIMITS.languagesRemembered, LIMITS.textsRememberedChars)

/** Without extensions (-u-hc-h12): they say how to write numbers, not in what language. */
export function languageOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (languages.get(text) ?? undefined)
}

function canonical(text: string): string | null {
  try {
    const { baseName } = new Intl.Locale(text.trim().replaceAll('_', '-'))
    return LANGUAGE_FIRST.test(baseName) && !baseName.startsWith('und') ? baseName : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
