/** Why a proof is not accepted: a code for programs, a sentence for people, and the place. */
export class Refusal extends Error {
  constructor(readonly code: string, message: string, readonly where = "") {
    super(message);
  }
}
