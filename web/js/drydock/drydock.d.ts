/** Makes a cluster with an engine of its own, in a worker of its own. Its machines are Ready, and it has the manifests. */
export function createCluster(options?: ClusterOptions): Promise<Cluster>;

export interface ClusterOptions {
  /** Machines `node-1` … `node-N` with 4 CPUs and 8Gi of memory each; 3 without it. */
  machines?: number;
  /** What chance goes by; 1 without it. The same seed and the same calls give the same run. */
  seed?: number | bigint | string;
  /** YAML or JSON, one text or several, applied at the beginning. */
  manifests?: string | string[];
  /** Virtual seconds in a second, or `max`. Without it time stands until `advance` lets it pass. */
  speed?: number | string;
  /** What `Cluster.snapshot` gave; it has its own machines and seed. */
  snapshot?: Uint8Array | ArrayBuffer | string;
}

export interface Cluster {
  /** As the global `fetch`, to the cluster's API server. The body of a watch goes on until it is cancelled or aborted. */
  fetch(path: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** As `kubectl apply -f -`; what that prints. */
  apply(yaml: string): Promise<string>;
  /** Runs a command line of kubectl, or its words; what it prints. */
  kubectl(args: string | string[], options?: KubectlOptions): Promise<string>;
  /** Lets time pass. The answer is the Clock object; `status.time` says when it is. */
  advance(what: { seconds: number } | { until: string | Date } | { to: "nextEvent" | "idle" }): Promise<any>;
  /** Calls back for each change; the answer ends that. */
  on(event: "change", listener: (change: Change) => void): () => void;
  /** What `createCluster({ snapshot })` goes on from, to the byte as this cluster goes on. */
  snapshot(): Promise<Uint8Array>;
  /** Hexadecimal digits that stand for the whole state: equal runs have equal ones. */
  fingerprint(): Promise<string>;
  /** Ends the engine. What waits for it is rejected. */
  dispose(): void;
}

export interface KubectlOptions {
  /** What `-f -` reads. */
  stdin?: string | Uint8Array;
  /** What other names after `-f` read. */
  files?: Record<string, string | Uint8Array>;
  signal?: AbortSignal;
}

export interface Change {
  /** The newest revision, and virtual time. */
  revision: number;
  time: string;
  /** False where more happened than can be told: list again. */
  isWhole: boolean;
  changes: {
    type: "ADDED" | "MODIFIED" | "DELETED";
    apiVersion: string;
    kind: string;
    namespace: string;
    name: string;
    revision: number;
  }[];
}

/** A refusal, in the server's or kubectl's words. */
export class DrydockError extends Error {
  /** The exit code of kubectl, or the code of the server's answer. */
  code: number;
  /** What was printed before. */
  output: string;
  /** Where in a manifest, from 1. */
  problems: { line: number; column: number; message: string; isWarning: boolean }[];
}

declare global {
  interface HTMLElementTagNameMap {
    "drydock-playground": DrydockPlayground;
  }
}

/** `<drydock-playground>`: the page in a frame. */
export interface DrydockPlayground extends HTMLElement {
  /** Applies a manifest, or the one that is there. */
  apply(text?: string): Promise<string>;
  kubectl(args: string): Promise<string>;
  /** Answers are whole: a watch is refused. */
  fetch(path: string, init?: { method?: string; headers?: HeadersInit; body?: string }): Promise<Response>;
  advance(what: { seconds: number } | { until: string | Date } | { to: "nextEvent" | "idle" }): Promise<any>;
  /** What stands after the `#` of an address of the page that goes on from here. */
  snapshot(): Promise<string>;
  text(): Promise<string>;
  setText(text: string): Promise<true>;
  pause(): Promise<true>;
  play(): Promise<true>;
  reset(): Promise<true>;
}
