import { credentialsError, identityError } from "./errors.ts"

/** To be read by a shell's `.`, which takes these four characters for its own between double quotes. */
export const clusterIdFile = (id: string): string => `CLUSTERID="${id.replaceAll(/[\\"$`]/g, String.raw`\$&`)}"\n`

export const regionFile = (region: string): string => `[default]\nregion = ${region}\n`

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export const credentialsFile = ({ accessKeyId, secretAccessKey }: Keys): string =>
  `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`

/** The cluster's own names stand in logs and files of one line each. */
export function checkIdentity(what: string, value: string): string {
  const reason = unfit(value)
  if (reason !== undefined) throw identityError(`the ${what} that the cluster names ${reason}`)
  return value
}

/** What stands in a file of a secret, without the newline that editors and `echo` leave at its end. Never shown. */
export function checkKey(file: string, content: string): string {
  const value = content.replace(/[\r\n]+$/, "")
  if (value === "") throw credentialsError(`${file} is empty`)
  const reason = unfit(value)
  if (reason !== undefined) throw credentialsError(`the content of ${file} ${reason}`)
  return value
}

/**
 * Ini files of AWS have no quotes and no escapes: a value is what remains of one line without blanks around it, and some
 * readers end it at a comment. What would be read as something else is refused. Undefined where it is fit.
 */
function unfit(value: string): string | undefined {
  if (/\p{C}|\u2028|\u2029/u.test(value))
    return "holds a control character or several lines, which an ini file cannot hold"
  if (value.trim() !== value) return "begins or ends with a blank, which an ini file cannot hold"
  return /^[;#]|\s[;#]/.test(value)
    ? "holds a blank before # or ;, or begins so, which an ini file reads as a comment"
    : undefined
}
