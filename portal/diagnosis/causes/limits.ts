import { between, causes, type ErrorText } from "./entry.ts"

const labelLimit = (limit: string): ErrorText => ({
  has: [`${limit} exceeded`],
  take: (text) => ({ metric: between(text, "(metric: ", ",") }),
})

/** What the portal's own limits refuse. A probe reads only the beginning of a response. */
export const LIMITS = causes({
  too_many_bytes: {
    title: "response too large",
    sentence: "The response is larger than[ the {bytes}] allowed for a site.",
    todo: "Request less (match in sites.yaml[, line {line}]), or raise limits.response_bytes.",
    todoAtSite: "Share less, or agree on other selectors or a higher limit with the portal's operator.",
    stage: "response",
    beyondProbe: true,
    texts: [{ has: ["body size limit exceeded"] }],
    example: { bytes: "256 MiB", line: "12" },
  },
  too_many_series: {
    title: "too many series",
    sentence: "The response has more series than[ the {series}] allowed for a site.",
    todo: "Request less (match in sites.yaml[, line {line}]), or raise limits.series.",
    todoAtSite: "Share less, or agree on other selectors or a higher limit with the portal's operator.",
    stage: "exposition",
    beyondProbe: true,
    texts: [{ has: ["sample limit exceeded"] }, { has: ["sample_limit exceeded"] }, { has: ["bucket limit exceeded"] }],
    example: { series: "1,000,000", line: "12" },
  },
  label_limit: {
    title: "labels beyond a limit",
    sentence: "A series has too many labels, or one that is too long[ ({metric})].",
    todo: "Ask the site's admin to drop the label; or raise the limit in the base configuration.",
    todoAtSite: "Drop the label, or ask the portal's operator to raise the limit.",
    stage: "exposition",
    beyondProbe: true,
    texts: ["label_limit", "label_name_length_limit", "label_value_length_limit"].map(labelLimit),
    example: { metric: "project_vcpu_usage" },
  },
  too_many_targets: {
    title: "too many targets",
    sentence: "The job has more targets than its target_limit.",
    todo: "Only a base configuration of your own can cause this: one site is one target.",
    beyondProbe: true,
    texts: [{ has: ["target_limit exceeded"] }],
    example: {},
  },
})
