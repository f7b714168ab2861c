import { duration, setting, settings, text } from "#core/config/settings.ts"

/** How to reach the clouds, beside the OS_* variables themselves. For one cloud none of it is needed. */
export const connectionSettings = {
  openrc: setting(text, {
    flag: "--openrc <file>",
    help: "file of OS_* variables, NAME=value with or without export and quotes; they win over those of the environment",
  }),
  osCloud: settings(
    text,
    {
      flag: "--os-cloud <name...>",
      env: [],
      defaultText: "OS_CLOUD, which may name several, separated by commas",
      help: "clouds of clouds.yaml",
    },
    [],
  ),
  osRegionName: settings(
    text,
    {
      flag: "--os-region-name <name...>",
      env: [],
      defaultText: "OS_REGION_NAME, which may name several, separated by commas; else those of clouds.yaml",
      help: "regions",
    },
    [],
  ),
  osTimeout: setting(
    duration(0.1),
    { flag: "--os-timeout <duration>", help: "deadline for an answer of an OpenStack service" },
    "60s",
  ),
}
