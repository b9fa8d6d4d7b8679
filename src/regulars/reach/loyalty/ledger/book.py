"""The rules of the points ledger over some accounts in memory: pure, in the order asked.

Every operation is entries that sum to zero. The accounts of a customer are `active`, `pending` and
`owed` (negative); those of the programme are `issued` (negative), `redeemed`, `expired` and
`written_off`. Which points an operation moved stands in its uses of lots.

Source: double-entry bookkeeping after Pacioli (1494); lots spent first that expire first.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from regulars.errors import InputError
from regulars.reach.loyalty.ledger.lots import OpenLots
from regulars.reach.loyalty.ledger.records import (
    ACTIVE,
    EXPIRED,
    ISSUED,
    OWED,
    OWN,
    PENDING,
    REDEEMED,
    WRITTEN_OFF,
    Account,
    Ask,
    Kind,
    Lot,
    Outcome,
    Policy,
    Shortfall,
    text_of,
)


class Book:
    """Some accounts with their lots, and what was done to them since they were read.

    Args:
        accounts: The accounts, alone with the caller.
        lots: Their lots, as far as they were read.
        known: Rows of operations by key, of the keys asked for and those reversed.
        uses: Lots used by each operation that may be reversed: (lot id, points), in order.
        policy: What to do where more than one answer would be right.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        lots: OpenLots | None = None,
        *,
        known: Mapping[str, Mapping[str, Any]] | None = None,
        uses: Mapping[str, Sequence[tuple[str, int]]] | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Keep what was read."""
        self.accounts = {one.customer_id: one for one in accounts}
        self._lots = lots or OpenLots()
        self.operations = {key: dict(row) for key, row in (known or {}).items()}
        self._uses = {key: list(found) for key, found in (uses or {}).items()}
        self._policy = policy or Policy()
        self.new_operations: list[dict[str, Any]] = []
        self.new_entries: list[dict[str, Any]] = []
        self.new_uses: list[dict[str, Any]] = []
        self.changed_lots: dict[str, Lot] = {}
        self.reversed_before: dict[str, int] = {}

    def take(self, ask: Ask, present: str, *, now: datetime) -> Outcome:
        """Carry out one operation, or say why not.

        Args:
            ask: The operation.
            present: The id its customer has now; "" for a reversal.
            now: The moment, aware.

        Returns:
            What came of it; a key known already gives what came of it then.

        Raises:
            InputError: The key was used for another operation.
        """
        if ask.key in self.operations:
            return self._again(ask, present)
        at = text_of(now)
        if ask.kind is Kind.EARN:
            return self._earn(ask, self.accounts[present], at)
        if ask.kind is Kind.REDEEM:
            return self._redeem(ask, self.accounts[present], at)
        return self._reverse(ask, now, at)

    def bring_to(self, customer_id: str, at: str) -> None:
        """Let locks of a customer end and points expire, as of a moment.

        Args:
            customer_id: Whose.
            at: The moment, UTC ISO text.
        """
        account = self.accounts[customer_id]
        free, due = self._lots.due(customer_id, at)
        if free:
            moved = sum(lot.remaining for lot in free)
            for lot in free:
                self._lots.take_out(lot)
                lot.state = ACTIVE
                self._lots.put(lot)
                self.changed_lots[lot.lot_id] = lot
            used = [(lot, 0) for lot in free]
            self._own(Kind.ACTIVATE, account, moved, at, {PENDING: -moved, ACTIVE: moved}, used)
        if due:
            entries: dict[str, int] = {}
            used = []
            for lot in due:
                entries[lot.state] = entries.get(lot.state, 0) - lot.remaining
                used.append((lot, -lot.remaining))
                lot.expired += lot.remaining
            moved = -sum(entries.values())
            self._own(Kind.EXPIRE, account, moved, at, entries | {EXPIRED: moved}, used)

    def settle_owners(
        self, customers: Iterable[str], owner_by_id: Mapping[str, str], at: str
    ) -> None:
        """Give every lot, and every debt, to whoever its customer is now.

        Args:
            customers: Whose lots; all of theirs were read.
            owner_by_id: Present customer id by an id points were earned under, or an account has.
            at: The moment, UTC ISO text.
        """
        for name in sorted(customers):
            account = self.accounts[name]
            gone: dict[str, list[Lot]] = {}
            for lot in self._lots.of(name):
                owner = owner_by_id.get(lot.earned_as, lot.earned_as)
                if owner != name:
                    gone.setdefault(owner, []).append(lot)
            present = owner_by_id.get(name, name)
            if account.owed and present != name:
                gone.setdefault(present, [])
            for owner in sorted(gone):
                self._hand_over(account, self.accounts[owner], gone[owner], owner == present, at)
            for lot in self._lots.by_id.values():
                # Spent ones too: what a reversal restores must reach whoever he is by then.
                owner = owner_by_id.get(lot.earned_as, lot.earned_as)
                if lot.customer_id == name and owner != name:
                    lot.customer_id = owner
                    self.changed_lots[lot.lot_id] = lot

    def _earn(self, ask: Ask, account: Account, at: str) -> Outcome:
        self.bring_to(account.customer_id, at)
        available = ask.available_at or at
        state = PENDING if available > at else ACTIVE
        lot = Lot(
            ask.key,
            account.customer_id,
            ask.customer_id,
            ask.points,
            0,
            0,
            0,
            0,
            state,
            at,
            available,
            ask.expires_at,
        )
        self._lots.put(lot)
        entries = {ISSUED: -ask.points, state: ask.points}
        used = [(lot, ask.points)]
        self._move(account, entries, used)
        self._pay_debt(account, entries, used)
        self._write(ask, account, ask.points, at, entries, used)
        self.bring_to(account.customer_id, at)
        return self._outcome(ask, account, ask.points)

    def _redeem(self, ask: Ask, account: Account, at: str) -> Outcome:
        self.bring_to(account.customer_id, at)
        if ask.points > account.active:
            return self._outcome(ask, account, 0, refused="not_enough")
        entries = {REDEEMED: ask.points, ACTIVE: -ask.points}
        used = self._spend(account, ask.points, ACTIVE)
        self._move(account, entries, used)
        self._write(ask, account, ask.points, at, entries, used)
        return self._outcome(ask, account, ask.points)

    def _reverse(self, ask: Ask, now: datetime, at: str) -> Outcome:
        known = self.operations.get(ask.reverses)
        if known is None:
            return self._outcome(ask, None, 0, refused="unknown_operation")
        if known["kind"] not in {Kind.EARN, Kind.REDEEM}:
            return self._outcome(ask, None, 0, refused="not_reversible")
        is_earning = known["kind"] == Kind.EARN
        names = [ask.reverses] if is_earning else [lot for lot, _ in self._uses[ask.reverses]]
        for name in sorted({self._lots.by_id[lot].customer_id for lot in names}):
            self.bring_to(name, at)
        account = self.accounts[self._lots.by_id[names[0]].customer_id]
        left = known["points"] - known["reversed"]
        points = min(ask.points or left, left)
        if not points:
            return self._outcome(ask, account, 0, refused="nothing_left")
        if is_earning:
            return self._take_back(ask, account, points, at)
        return self._restore(ask, account, points, now)

    def _take_back(self, ask: Ask, account: Account, points: int, at: str) -> Outcome:
        """Reverse an earning: what is left of it first, what expired next, then what was spent."""
        lot = self._lots.by_id[ask.reverses]
        here = min(points, lot.remaining)
        lapsed = min(points - here, lot.expired)
        spent = points - here - lapsed
        if spent and self._policy.shortfall is Shortfall.REFUSE:
            return self._outcome(ask, account, 0, refused="spent")
        lot.taken += here + lapsed
        lot.expired -= lapsed
        entries = {ISSUED: points, EXPIRED: -lapsed, lot.state: -here}
        used = [(lot, -here)]
        self._move(account, {lot.state: -here}, used)
        self._charge(account, spent, entries, used)
        self._write(ask, account, points, at, entries, used)
        return self._outcome(ask, account, points)

    def _charge(
        self, account: Account, spent: int, entries: dict[str, int], used: list[tuple[Lot, int]]
    ) -> None:
        """Get back points of a reversed earning that were spent already, as the policy says."""
        if self._policy.shortfall in {Shortfall.OWE, Shortfall.TAKE}:
            for pocket in (ACTIVE, PENDING):
                here = min(spent, account.active if pocket == ACTIVE else account.pending)
                if not here:
                    continue
                spent -= here
                found = self._spend(account, here, pocket)
                entries[pocket] = entries.get(pocket, 0) - here
                self._move(account, {pocket: -here}, found)
                used.extend(found)
        if self._policy.shortfall is Shortfall.OWE:
            account.owed += spent
            entries[OWED] = entries.get(OWED, 0) - spent
        else:
            entries[WRITTEN_OFF] = entries.get(WRITTEN_OFF, 0) - spent

    def _restore(self, ask: Ask, account: Account, points: int, now: datetime) -> Outcome:
        """Reverse a redemption: points return to the lots they came from, the last drawn first."""
        at, known = text_of(now), self.operations[ask.reverses]
        skip, left = known["reversed"], points
        given: dict[str, list[tuple[Lot, int]]] = {}
        for lot_id, drawn in reversed(self._uses[ask.reverses]):
            before = min(skip, -drawn)
            skip -= before
            back = min(left, -drawn - before)
            left -= back
            if back:
                lot = self._lots.by_id[lot_id]
                lot.spent -= back
                given.setdefault(lot.customer_id, []).append((lot, back))
        entries, used = {(REDEEMED, account.customer_id): -points}, []
        for name, found in sorted(given.items()):
            # After an unmerge the lots of one redemption may be two customers'.
            mine = {ACTIVE: sum(back for _, back in found)}
            self._extend(found, now)
            self._move(self.accounts[name], mine, found)
            self._pay_debt(self.accounts[name], mine, found)
            self.accounts[name].version += name != account.customer_id
            entries |= {(pocket, name): moved for pocket, moved in mine.items()}
            used.extend(found)
        self._write(ask, account, points, at, entries, used)
        for name in sorted(given):
            self.bring_to(name, at)
        return self._outcome(ask, account, points)

    def _extend(self, found: Sequence[tuple[Lot, int]], now: datetime) -> None:
        """Keep restored points good for a while, when their lot has expired since."""
        if self._policy.restored_days:
            least = text_of(now + timedelta(days=self._policy.restored_days))
            for lot, _ in found:
                if lot.expires_at <= text_of(now):
                    lot.expires_at = least

    def _pay_debt(
        self, account: Account, entries: dict[str, int], used: list[tuple[Lot, int]]
    ) -> None:
        for pocket in (ACTIVE, PENDING):
            paid = min(account.owed, account.active if pocket == ACTIVE else account.pending)
            if not paid:
                continue
            found = self._spend(account, paid, pocket)
            account.owed -= paid
            entries[pocket] = entries.get(pocket, 0) - paid
            entries[OWED] = entries.get(OWED, 0) + paid
            self._move(account, {pocket: -paid}, found)
            used.extend(found)

    def _spend(self, account: Account, points: int, pocket: str) -> list[tuple[Lot, int]]:
        """Mark points of lots as spent, the one that expires first before others."""
        used = []
        for lot, here in self._lots.draw(account.customer_id, points, pocket):
            lot.spent += here
            used.append((lot, -here))
        return used

    def _move(
        self, account: Account, entries: Mapping[str, int], used: Iterable[tuple[Lot, int]]
    ) -> None:
        """Change the balances of a customer, and what is left of the lots."""
        account.active += entries.get(ACTIVE, 0)
        account.pending += entries.get(PENDING, 0)
        for lot, points in used:
            was = lot.remaining
            lot.remaining += points
            self.changed_lots[lot.lot_id] = lot
            if lot.remaining and not was:
                self._lots.put(lot)
            elif was and not lot.remaining:
                self._lots.take_out(lot)

    def _hand_over(
        self, giver: Account, taker: Account, lots: Sequence[Lot], with_debt: bool, at: str
    ) -> None:
        entries: dict[tuple[str, str], int] = {}
        for lot in lots:
            mine, theirs = (lot.state, giver.customer_id), (lot.state, taker.customer_id)
            entries[mine] = entries.get(mine, 0) - lot.remaining
            entries[theirs] = entries.get(theirs, 0) + lot.remaining
            self._lots.take_out(lot)
            lot.customer_id = taker.customer_id
            self._lots.put(lot)
            self.changed_lots[lot.lot_id] = lot
        for account in (giver, taker):
            account.active += entries.get((ACTIVE, account.customer_id), 0)
            account.pending += entries.get((PENDING, account.customer_id), 0)
        moved = sum(lot.remaining for lot in lots)
        if with_debt and giver.owed:
            entries[OWED, giver.customer_id] = giver.owed
            entries[OWED, taker.customer_id] = -giver.owed
            taker.owed, giver.owed = taker.owed + giver.owed, 0
        paid: dict[str, int] = {}
        used = [(lot, 0) for lot in lots]
        self._pay_debt(taker, paid, used)
        for pocket, points in paid.items():
            name = (pocket, taker.customer_id)
            entries[name] = entries.get(name, 0) + points
        key = f"{OWN}{Kind.MOVE}/{giver.customer_id}/{giver.version}"
        ask = Ask(Kind.MOVE, key, giver.customer_id, moved, "identity", taker.customer_id)
        giver.version += 1
        self._write(ask, taker, moved, at, entries, used)

    def _own(
        self,
        kind: Kind,
        account: Account,
        points: int,
        at: str,
        entries: dict[str, int],
        used: list[tuple[Lot, int]],
    ) -> None:
        """Carry out an operation the ledger asks of itself."""
        key = f"{OWN}{kind}/{account.customer_id}/{account.version}"
        ask = Ask(kind, key, account.customer_id, points, kind.value)
        self._move(account, entries, used)
        self._write(ask, account, points, at, entries, used)

    def _write(
        self,
        ask: Ask,
        account: Account,
        points: int,
        at: str,
        entries: Mapping[str, int] | Mapping[tuple[str, str], int],
        used: Sequence[tuple[Lot, int]],
    ) -> None:
        account.version += 1
        row = {
            "key": ask.key,
            "kind": ask.kind.value,
            "customer_id": account.customer_id,
            "asked_as": ask.customer_id,
            "asked": ask.points,
            "points": points,
            "reversed": 0,
            "reason": ask.reason,
            "reference": ask.reference,
            "reverses": ask.reverses,
            "at": at,
            "actor": ask.actor,
        }
        self.operations[ask.key] = row
        self.new_operations.append(row)
        for name, moved in entries.items():
            pocket, customer = name if isinstance(name, tuple) else (name, account.customer_id)
            if moved:
                self.new_entries.append({
                    "key": ask.key,
                    "account": pocket,
                    "customer_id": customer,
                    "points": moved,
                })
        self._uses[ask.key] = [(lot.lot_id, moved) for lot, moved in used if moved]
        self.new_uses.extend(
            {"key": ask.key, "place": place, "lot_id": lot.lot_id, "points": moved}
            for place, (lot, moved) in enumerate(used)
            if moved
        )
        if ask.reverses:
            known = self.operations[ask.reverses]
            self.reversed_before.setdefault(ask.reverses, known["reversed"])
            known["reversed"] += points

    def _again(self, ask: Ask, present: str) -> Outcome:
        row = self.operations[ask.key]
        told = (row["kind"], row["asked_as"], row["asked"], row["reverses"])
        if told != (ask.kind.value, ask.customer_id, ask.points, ask.reverses):
            raise InputError(
                f"key {ask.key!r} was used to {row['kind']} {row['asked']} points of "
                f"{row['asked_as'] or row['reverses']}, not to {ask.kind.value} {ask.points} of "
                f"{ask.customer_id or ask.reverses}; give every operation a key of its own"
            )
        account = self.accounts.get(present or row["customer_id"])
        return self._outcome(ask, account, row["points"], is_new=False, customer=row["customer_id"])

    @staticmethod
    def _outcome(
        ask: Ask,
        account: Account | None,
        points: int,
        *,
        refused: str = "",
        is_new: bool = True,
        customer: str = "",
    ) -> Outcome:
        name = account.customer_id if account else customer or ask.customer_id
        has = account or Account(name)
        return Outcome(
            ask.key,
            ask.kind,
            name,
            points,
            is_new and not refused,
            refused,
            has.active,
            has.pending,
            has.owed,
        )
