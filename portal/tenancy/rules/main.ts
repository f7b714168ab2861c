import { component } from "#core/component.ts"
import { inGroup, on, oneOf, setting, settings, text } from "#core/config/settings.ts"
import { rulesDiffSettings, rulesInformerSettings } from "./settings.ts"
import { FEATURE_FLAGS, featureFlags, TARGET_NAMES } from "./validation/target.ts"

/** The settings of its commands. What they need to run is loaded only when they do. */
export const rulesInformer = component({
  settings: rulesInformerSettings,
  example: "fedstack rules-informer --ruler-upstream-url http://cortex:9009 --namespace team-a",
  docs: "rules.md",
  once: ({ dryRun }) => dryRun,
  async run(values, context) {
    if (values.dryRun) return (await import("./diff/rules-diff.ts")).rulesDiff(values, [], context)
    return (await import("./start.ts")).startInformer(values, context)
  },
})

export const checkRules = component({
  settings: {
    ...inGroup("Target", {
      target: setting(
        oneOf(TARGET_NAMES),
        { flag: "--target <name>", help: `Validate for this: ${TARGET_NAMES.join(", ")}`, env: [] },
        "prometheus-3.5",
      ),
      enableFeature: settings(
        featureFlags,
        {
          flag: "--enable-feature <flags>",
          help: `Expect these feature flags to be set there, separated by commas: ${FEATURE_FLAGS.join(", ")}`,
          env: [],
        },
        [],
      ),
    }),
    ...inGroup("Lint", {
      lint: setting(
        on,
        { flag: "--lint", help: "Also report what is accepted and probably not meant", env: [] },
        "false",
      ),
      base: settings(
        text,
        {
          flag: "--base <file>",
          help: "With --lint, find what reads a record that only this file has, which the others replace; may be repeated",
          env: [],
        },
        [],
      ),
      lintFatal: setting(
        on,
        { flag: "--lint-fatal", help: "End with status 3 where lint finds something", env: [] },
        "false",
      ),
    }),
  },
  argument: { notation: "<file...>", help: "rule files or manifests; - is standard input" },
  example: "fedstack check rules --target cortex-1.21 --lint rules/*.yaml",
  docs: "check-rules.md",
  once: () => true,
  run: async ({ enableFeature, ...options }, context, file, more = []) => {
    const { checkRules: check } = await import("./check/check-rules.ts")
    return check([file, ...more], { ...options, enableFeature: enableFeature.flat() }, context)
  },
})

export const rulesDiff = component({
  settings: rulesDiffSettings,
  argument: { notation: "[file...]", help: "manifests, in place of the resources in Kubernetes" },
  example: "fedstack rules diff --ruler-upstream-url http://cortex:9009 --namespace team-a",
  docs: "rules.md",
  once: () => true,
  run: async (values, context, file, more = []) =>
    (await import("./diff/rules-diff.ts")).rulesDiff(values, file === "" ? more : [file, ...more], context),
})
