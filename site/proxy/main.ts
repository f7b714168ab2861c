import { component } from "#core/component.ts"
import { setting, settings, text } from "#core/config/settings.ts"
import { proxySettings } from "./settings.ts"

/** The settings of the proxy's commands. What they need to run is loaded only when they do. */
export const proxy = component({
  settings: proxySettings,
  example: "fedstack proxy --policy policy.yaml --web.config.file web.yml",
  docs: "proxy.md",
  async run(values, { log, now, env }) {
    const [{ readProxyConfig }, { startProxy }] = await Promise.all([import("./config.ts"), import("./start.ts")])
    return startProxy(readProxyConfig(values, { log, now, env }), log, now)
  },
})

export const checkPolicy = component({
  settings: {
    as: setting(text, { flag: "--as <client>", help: "Explain what this client of the policy may read", env: [] }),
    match: settings(
      text,
      { flag: "--match <selector>", help: "Check whether the client may read this; may be repeated", env: [] },
      [],
    ),
  },
  argument: { notation: "<file>", help: "the policy, such as policy.yaml" },
  example: `fedstack check policy policy.yaml --as portal --match '{job="project_usages"}'`,
  docs: "policy.md#check-what-a-client-may-read",
  once: () => true,
  async run(options, context, file) {
    const { checkPolicy: check } = await import("./check.ts")
    return check(file, options, context)
  },
})

/** Never among the arguments, which every user of the machine can see. */
const tokenArgument = { notation: "[file]", help: "the file that holds the token; without it, standard input" }

export const newToken = component({
  settings: {},
  example: "fedstack token new",
  docs: "policy.md#rotate-a-token-without-a-gap",
  once: () => true,
  run: async (_, { print }) => (await import("./token/print.ts")).printNewToken(print),
})

export const hashToken = component({
  settings: {},
  example: "fedstack token hash portal.token",
  docs: "policy.md#rotate-a-token-without-a-gap",
  argument: tokenArgument,
  once: () => true,
  run: async (_, { print }, file) => (await import("./token/print.ts")).printHash(file, print),
})

export const inspectToken = component({
  settings: {
    policy: setting(text, {
      flag: "--policy <file>",
      help: "Show whose token it is in this policy of a proxy",
      env: [],
    }),
    jwks: setting(text, {
      flag: "--jwks <url|file>",
      help: "Verify it by the keys that its issuer publishes there",
      env: [],
    }),
  },
  argument: tokenArgument,
  example: "fedstack token inspect --policy policy.yaml portal.token",
  docs: "policy.md#accept-signed-tokens-jwt",
  once: () => true,
  run: async (options, context, file) => (await import("./token/inspect.ts")).printToken(file, options, context),
})
