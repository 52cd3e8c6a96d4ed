import { IxContentHeader } from "@siemens/ix-react";
import { go, href, useRoute } from "../../route/router";
import { mayAdminister, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { Empty } from "../../parts/Feedback";
import { Accounts } from "./Accounts";
import { Audit } from "./Audit";
import { Credentials } from "./Credentials";
import { MachineKeys } from "./MachineKeys";
import { Tokens } from "./Tokens";

const a = t.administration;
const PAGES = { accounts: Accounts, tokens: Tokens, machines: Credentials, keys: MachineKeys, audit: Audit } as const;
type Name = keyof typeof PAGES;

/** Who may do what: people, programs, machines, and what they did. */
export default function Administration() {
  const account = useAccount();
  const { parts } = useRoute();
  const name = ((parts[1] ?? "") in PAGES ? parts[1] : "accounts") as Name;
  const Page = PAGES[name];
  if (!mayAdminister(account)) return <Empty title={a.notYours} />;
  return (
    <>
      <IxContentHeader headerTitle={t.nav.administration} />
      <nav className="tabs" aria-label={t.nav.administration}>
        {(Object.keys(PAGES) as Name[]).map((one) => (
          <a
            key={one}
            href={href(`administration/${one}`)}
            aria-current={one === name ? "page" : undefined}
            onClick={(event) => {
              if (event.button !== 0 || event.metaKey || event.ctrlKey) return;
              event.preventDefault();
              go(href(`administration/${one}`));
            }}
          >
            {a.tabs[one]}
          </a>
        ))}
      </nav>
      <Page />
    </>
  );
}
