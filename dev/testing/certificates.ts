import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

/** PEM texts. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Wanted {
  readonly name: string
  /** `DNS:localhost`, `IP:127.0.0.1`, `email:a@example.org`, `URI:spiffe://a/b`. */
  readonly sans?: readonly string[]
  /** In a day where it is not given. */
  readonly notAfter?: Date
  /** 30 days before its end where it is not given. */
  readonly notBefore?: Date
  /** What it may be used for; servers and clients where it is not given. */
  readonly usage?: "client"
}

export interface Authority extends Certificate {
  issue(wanted: Wanted): Certificate
  /** Another authority, whose certificate is of this one. */
  intermediate(name: string): Authority
}

const DAY = 86_400_000

/** A certificate authority that lives in memory; its certificates are ECDSA P-256 (RFC 5280, written as DER by hand). */
export function makeAuthority(name: string, issuer?: { readonly name: string; readonly key: KeyObject }): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const isAuthority = extension([0x55, 0x1d, 0x13], sequence(tlv(0x01, Buffer.of(0xff))))
  const { name: issuerName, key: signer } = issuer ?? { name, key: keys.privateKey }
  const own = certificate(
    issuerName,
    name,
    keys.publicKey,
    signer,
    [undefined, new Date(Date.now() + DAY)],
    [isAuthority],
  )
  return {
    cert: own,
    key: pem(keys.privateKey),
    intermediate: (other) => makeAuthority(other, { name, key: keys.privateKey }),
    issue(wanted) {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" })
      const sans = wanted.sans ?? []
      const extensions = [
        ...(sans.length === 0 ? [] : [extension([0x55, 0x1d, 0x11], sequence(...sans.map(generalName)))]),
        ...(wanted.usage === undefined ? [] : [extension([0x55, 0x1d, 0x25], sequence(CLIENT_AUTHENTICATION))]),
      ]
      const end = wanted.notAfter ?? new Date(Date.now() + DAY)
      return {
        cert: certificate(name, wanted.name, pair.publicKey, keys.privateKey, [wanted.notBefore, end], extensions),
        key: pem(pair.privateKey),
      }
    },
  }
}

function certificate(
  issuer: string,
  subject: string,
  publicKey: KeyObject,
  signer: KeyObject,
  [notBefore, notAfter]: readonly [Date | undefined, Date],
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])) // ecdsa-with-SHA256
  const content = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))), // version 3
    tlv(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    commonName(issuer),
    sequence(time(notBefore ?? new Date(notAfter.getTime() - 30 * DAY)), time(notAfter)),
    commonName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions))]),
  )
  const signature = tlv(0x03, Buffer.of(0), sign("sha256", content, signer))
  const lines =
    sequence(content, algorithm, signature)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
}

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString()

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, Math.trunc(length / 0x100), length % 0x100]
  return Buffer.concat([Buffer.of(tag, ...size), body])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts)
const oid = (bytes: readonly number[]): Buffer => tlv(0x06, Buffer.from(bytes))
const extension = (id: readonly number[], value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value))
/** 1.3.6.1.5.5.7.3.2 */
const CLIENT_AUTHENTICATION = oid([0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02])
const commonName = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(oid([0x55, 0x04, 0x03]), tlv(0x0c, Buffer.from(name)))))
const time = (date: Date): Buffer => tlv(0x18, Buffer.from(`${date.toISOString().replaceAll(/\D/g, "").slice(0, 14)}Z`))

function generalName(san: string): Buffer {
  const [, kind, value = ""] = /^(\w+):(.*)$/s.exec(san) ?? []
  if (kind === "email") return tlv(0x81, Buffer.from(value))
  if (kind === "DNS") return tlv(0x82, Buffer.from(value))
  if (kind === "URI") return tlv(0x86, Buffer.from(value))
  if (kind === "IP") return tlv(0x87, addressBytes(value))
  throw new Error(`no such kind of name: ${san}`)
}

function addressBytes(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number))
  const [head = "", tail = ""] = address.split("::")
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => 0)
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].flatMap((group) => [group >> 8, group & 0xff]))
}

const groups = (text: string): number[] =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16))
