import { z } from "zod"
import { expected, filled, parsed } from "#core/config/schema.ts"
import { httpUrl, type Parse, Wrong } from "#core/config/settings.ts"

/** A key that is known elsewhere, or is refused: the message says what takes its place, and never what it holds. */
export const instead = (message: string) => z.undefined({ error: () => message }).optional()

/** To the YAML of Prometheus some of them are line breaks, which it folds into spaces. */
export const CONTROL = /[\p{Cc}\u2028\u2029]/u

const fileName = filled("the name of a file")
const variable = filled("the name of a variable")

export const token = z
  .strictObject({ file: fileName.optional(), env: variable.optional() }, expected("{file: NAME} or {env: VARIABLE}"))
  .refine(({ file, env }) => (file === undefined) !== (env === undefined), "must have either file or env")

/** Where a secret stands: `NAME_file` or `NAME_env`, and never in the file itself. */
const secret = <Name extends string>(name: Name) =>
  ({
    [`${name}_file`]: fileName.optional(),
    [`${name}_env`]: variable.optional(),
    [name]: instead(
      `must not stand here: put it into a file or a variable, and name that with ${name}_file or ${name}_env`,
    ),
  }) as Readonly<Record<`${Name}_file` | `${Name}_env`, z.ZodOptional<z.ZodString>>> &
    Readonly<Record<Name, ReturnType<typeof instead>>>

const hasOne = (name: string) =>
  [
    (value: Readonly<Record<string, unknown>>) =>
      (value[`${name}_file`] === undefined) !== (value[`${name}_env`] === undefined),
    `must have either ${name}_file or ${name}_env`,
  ] as const

export const basicAuth = z
  .strictObject(
    {
      username: filled("a user name").refine(
        (value) => !/:/.test(value) && !CONTROL.test(value),
        "must hold no colon and no control characters",
      ),
      ...secret("password"),
    },
    expected("a map of username and password_file or password_env"),
  )
  .refine(...hasOne("password"))

export const authorization = z
  .strictObject(
    {
      type: z
        .string(expected("a word such as Token"))
        .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a word such as Token")
        .refine((type) => type.toLowerCase() !== "basic", "must not be Basic: write basic_auth")
        .default("Bearer"),
      ...secret("credentials"),
    },
    expected("a map of type and credentials_file or credentials_env"),
  )
  .refine(...hasOne("credentials"))

export const tlsShape = {
  ca_file: fileName.optional(),
  server_name: filled("a host name").optional(),
  cert_file: fileName.optional(),
  key_file: fileName.optional(),
  min_version: z.enum(["TLS12", "TLS13"], expected("TLS12 or TLS13")).optional(),
}
export const tls = z.strictObject(tlsShape, expected("a map of ca_file, server_name, cert_file, key_file, min_version"))
export type Tls = z.output<typeof tls>

const plainUrl: Parse<URL> = (text) => {
  const url = httpUrl(text)
  if (!(url instanceof Wrong) && (/[?#]/.test(text) || url.pathname !== "/"))
    return new Wrong("must be a host and a port alone, such as http://proxy.example.org:3128")
  return url
}
export const proxyUrl = parsed("a URL such as http://proxy.example.org:3128", plainUrl)

const tokenUrl: Parse<URL> = (text) => (text.includes("#") ? new Wrong("must have no fragment (#)") : httpUrl(text))

export const oauth2 = z
  .strictObject(
    {
      client_id: filled("a client's id"),
      ...secret("client_secret"),
      token_url: parsed("a URL such as https://login.example.org/token", tokenUrl),
      scopes: z.array(filled("a scope"), expected("a list of scopes")).optional(),
      endpoint_params: z
        .record(
          z.string(),
          parsed("text", (text) => text),
          expected("a map such as {audience: site-a}"),
        )
        .optional(),
      tls_config: tls.optional(),
      proxy_url: proxyUrl.optional(),
    },
    expected("a map of client_id, client_secret_file or client_secret_env, and token_url"),
  )
  .refine(...hasOne("client_secret"))
