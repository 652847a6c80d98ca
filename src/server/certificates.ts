/**
 * Owns the certificates of the ports: read from files, and read again when they change, so that a
 * renewed one needs no restart. Calls that are on their way keep what they began with.
 */
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";

export interface TlsFiles {
  /** The chain of the service, its own certificate first. PEM, like the others. */
  readonly certFile: string;
  readonly keyFile: string;
  /** When it is set, clients must show a certificate that one of these has signed. */
  readonly clientCaFile: string | undefined;
}

/** What the ports are told of a change. */
export interface CertificateWatch {
  readonly onChange: (options: SecureContextOptions) => void;
  /** New files that cannot be used. The ports go on with those they have. */
  readonly onError: (error: unknown) => void;
}

/** Files that make no certificate. The message says which, and what is wrong. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/** How soon a changed file is noticed. Files are read, not watched: mounted ones tell nothing. */
const CHECK_INTERVAL_MS = 2_000;

export class Certificates {
  readonly #files: TlsFiles;
  #options: SecureContextOptions;
  #timer: NodeJS.Timeout | undefined;

  private constructor(files: TlsFiles, options: SecureContextOptions) {
    this.#files = files;
    this.#options = options;
  }

  static async load(files: TlsFiles): Promise<Certificates> {
    return new Certificates(files, await readOptions(files));
  }

  get options(): SecureContextOptions {
    return this.#options;
  }

  /** Whether clients must show a certificate. */
  get asksClients(): boolean {
    return this.#files.clientCaFile !== undefined;
  }

  watch({ onChange, onError }: CertificateWatch): void {
    const check = async () => {
      try {
        const options = await readOptions(this.#files);
        if (isSame(options, this.#options)) return;
        this.#options = options;
        onChange(options);
      } catch (error) {
        onError(error);
      }
    };
    this.#timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

async function readOptions(files: TlsFiles): Promise<SecureContextOptions> {
  const { certFile, keyFile, clientCaFile } = files;
  const [cert, key, ca] = await Promise.all([
    read(certFile),
    read(keyFile),
    clientCaFile === undefined ? undefined : read(clientCaFile),
  ]);
  const options = { cert, key, ...(ca !== undefined && { ca }), minVersion: "TLSv1.2" } as const;
  try {
    createSecureContext(options);
  } catch (error) {
    const { message } = error as Error;
    const named = [certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
    throw new CertificateError(`${named.join(", ")}: no certificate and its key (${message})`);
  }
  return options;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CertificateError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function isSame(one: SecureContextOptions, other: SecureContextOptions): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}
