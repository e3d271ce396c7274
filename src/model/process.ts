/** A process that a capture names in the comments of packets (ptcpdump). All texts are as the capture has them. */
export interface CapturedProcess {
  pid: number;
  /** File name of the executable. */
  comm: string;
  /** Path of the executable. */
  command: string;
  arguments: string | null;
  /** Name of its container, or its id where it has no name; null outside of containers. */
  container: string | null;
  /** namespace/name of its Kubernetes pod. */
  pod: string | null;
}
