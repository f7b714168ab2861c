import { ConfigurationError, type Fault } from "#core/errors.ts"
import { type DummyDomain, parseDummyFile } from "./dummy-file.ts"

export type ParserInput = { readonly text: string; readonly file: string }
export type ParserAnswer = { readonly domains: readonly DummyDomain[] } | { readonly faults: readonly Fault[] }

function answer({ text, file }: ParserInput): ParserAnswer {
  try {
    return { domains: parseDummyFile(text, file) }
  } catch (error) {
    if (error instanceof ConfigurationError) return { faults: error.faults }
    throw error
  }
}

process.once("message", (input: ParserInput) => process.send?.(answer(input), () => process.disconnect()))
