/** Said once for each such site, at every reading of the configuration files. */
export const PLAIN_HTTP = "token and data cross the network unencrypted: give the site TLS, and its url https://"

/** As a URL's `hostname` shows them. Other names, such as those of containers, may lead over a network to another machine. */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/

export const sendsTokenInPlain = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && !LOOPBACK.test(hostname)
