import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { ApiError, get, post, rememberCsrf, remove, whenSignedOut } from "../api/client";
import type { Account, Session } from "../api/types";
import { forgetAnswers } from "../data/query";
import { retryLive } from "../live/live";
import { suggestAppearance } from "../shell/appearance";

interface SessionState {
  /** undefined: not known yet; null: nobody. */
  account: Account | null | undefined;
  /** Zone of the plant's calendars; null where it has none. */
  zone: string | null;
  problem: ApiError | undefined;
  signIn: (account: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
  check: () => void;
}

const Context = createContext<SessionState | null>(null);

export function useSession(): SessionState {
  const state = useContext(Context);
  if (!state) throw new Error("useSession needs SessionProvider");
  return state;
}

/** The signed-in account of pages that only exist when somebody is signed in. */
export function useAccount(): Account {
  const { account } = useSession();
  if (!account) throw new Error("nobody is signed in");
  return account;
}

/** Whether somebody works at a machine rather than in an office. */
export const atTheMachine = (account: Account): boolean => account.roles.includes("operator") && !account.roles.includes("production_manager");

/** Whether contracts are part of somebody's work; the API decides what is shown. */
export const mayReadContracts = (account: Account): boolean => !atTheMachine(account);

const AWAY_FROM_MACHINES = ["sales", "trainer"];

/** Whether what is wrong with machines is part of somebody's work; the API decides what is shown. */
export const mayReadCases = (account: Account): boolean => account.roles.some((role) => !AWAY_FROM_MACHINES.includes(role));

/** Whose home is the contract ledger. */
export const sellsOrBuys = (account: Account): boolean => ["service_manager", "sales", "procurement"].some((role) => account.roles.includes(role as never));

/** Who makes offers for their party; the API decides what is taken. */
export const makesOffers = (account: Account): boolean => ["service_manager", "sales", "administrator"].some((role) => account.roles.includes(role as never));

/** Who reads the books of their party; the API decides what is shown. */
export const keepsBooks = (account: Account): boolean => ["service_manager", "sales", "administrator"].some((role) => account.roles.includes(role as never));

/** Whose work is how machines are controlled; the API decides what is shown. */
export const mayReadControllers = (account: Account): boolean =>
  ["engineer", "technician", "maintenance", "service_manager", "administrator"].some((role) => account.roles.includes(role as never));

/** Who has plans made and writes what they are made from (the API decides). */
export const mayPlan = (account: Account): boolean =>
  ["production_manager", "maintenance", "service_manager", "engineer", "analyst", "administrator"].some((role) => account.roles.includes(role as never));

/** Who stands at machines and says what a shift was like; the API decides what is taken. */
export const maySayRoutine = (account: Account): boolean => ["operator", "production_manager", "maintenance", "administrator"].some((role) => account.roles.includes(role as never));

export const mayAdminister = (account: Account): boolean => account.roles.includes("administrator");

export function SessionProvider({ children }: { children: ReactNode }) {
  const [account, setAccount] = useState<Account | null | undefined>(undefined);
  const [zone, setZone] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiError | undefined>();

  const enter = useCallback((session: Session) => {
    rememberCsrf(session.csrf);
    setProblem(undefined);
    setZone(session.time_zone ?? null);
    setAccount(session.account);
    if (atTheMachine(session.account)) suggestAppearance("hmi");
    retryLive();
  }, []);

  const check = useCallback(() => {
    get<Session>("/session").then(enter, (error: unknown) => {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) setAccount(null);
      else if (error instanceof ApiError) setProblem(error);
      else throw error;
    });
  }, [enter]);

  useEffect(() => {
    whenSignedOut(() => setAccount(null));
    check();
  }, [check]);

  // A node that does not answer yet (it may be starting) is asked again.
  useEffect(() => {
    if (!problem || account !== undefined) return undefined;
    const timer = window.setInterval(check, 3000);
    return () => window.clearInterval(timer);
  }, [problem, account, check]);

  const value = useMemo<SessionState>(
    () => ({
      account,
      zone,
      problem,
      check,
      async signIn(name, password) {
        const session = await post<Session>("/session", { account: name, password });
        forgetAnswers();
        enter(session);
      },
      async signOut() {
        await remove("/session");
        forgetAnswers();
        setAccount(null);
      },
    }),
    [account, zone, problem, check, enter],
  );
  return <Context value={value}>{children}</Context>;
}
