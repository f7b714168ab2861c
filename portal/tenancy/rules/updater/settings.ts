import { between, duration, inGroup, list, on, setting, trimmed, whole } from "#core/config/settings.ts"
import { parseNamespaceTemplate } from "./namespace-template.ts"

/** How rulers are kept in step with the resources. */
export const updaterSettings = inGroup("From resources to rulers", {
  updaterPollIntervalSeconds: setting(
    whole(0, 86_400),
    {
      flag: "--updater-poll-interval-seconds <seconds>",
      help: "Compare all groups with the rulers in this interval, beside each change at once; 0: write nothing to rulers",
    },
    "40",
  ),
  enableUpdaterRemoveRules: setting(
    on,
    {
      flag: "--enable-updater-remove-rules [true|false]",
      help: "Delete groups from the ruler that a resource wrote and no longer has; others are never deleted",
    },
    "true",
  ),
  maxDeletesPerCycle: setting(
    whole(1, 1_000_000),
    {
      flag: "--max-deletes-per-cycle <number>",
      help: "Delete at most so many groups of a tenant at once, and more 10s later",
    },
    "50",
  ),
  deletionGrace: setting(
    between(duration(0), 0, 3600, "from 0s to 1h"),
    {
      flag: "--deletion-grace <duration>",
      help: "Delete a group that no resource wants any more after this time, unless one claims it: a group that moves to another resource keeps what its alerts have pending",
    },
    "5s",
  ),
  rulerNamespaceTemplate: setting(
    parseNamespaceTemplate,
    {
      flag: "--ruler-namespace-template <template>",
      help: "Keep a resource's groups in this namespace of the ruler: text with {namespace}, {name} and {uid}",
    },
    "{namespace}",
  ),
  adoptExistingGroups: setting(
    on,
    {
      flag: "--adopt-existing-groups",
      help: "Overwrite groups of the ruler that no resource wrote, where a resource has one of the same name",
    },
    "false",
  ),
  forgetRulers: list(
    trimmed,
    {
      flag: "--forget-ruler <name>",
      help: "Let go of the groups that were written to this ruler, which is no longer configured: they stay there; may be repeated",
    },
    [],
  ),
  dryRun: setting(
    on,
    { flag: "--dry-run", help: "Print what would be written as fedstack rules diff does, write nothing, and end" },
    "false",
  ),
})
