// The version of the program, as package.json says it and a test compares.

export const VERSION = '0.1.0'
