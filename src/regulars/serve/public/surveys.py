"""The survey page: one question by a signed link; a GET shows, only the form answers."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.reach.content.definition import locale_for
from regulars.reach.links.tokens import Purpose, Standing
from regulars.reach.surveys.definition import SCORES, Kind, Words
from regulars.reach.surveys.service import Said, answer, said
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.console.words import N_
from regulars.serve.http.door.workspaces import Site, Workspace
from regulars.serve.public.finding import STATUS, refused, workspace_of

CHOOSE = N_("Choose a number first.")
QUESTION = {
    Kind.NPS: N_("How likely are you to recommend us to a friend?"),
    Kind.CSAT: N_("How satisfied are you with us?"),
}
ENDS = {
    Kind.NPS: (N_("not at all"), N_("certainly")),
    Kind.CSAT: (N_("not at all"), N_("very much")),
}
COMMENT = N_("What is the main reason? (if you like)")
THANKS = N_("Thank you for your answer.")


class SurveyPages:
    """Handlers of survey links.

    Args:
        site: The workspaces served.
        pages: Makes pages of templates.
    """

    def __init__(self, site: Site, pages: Pages) -> None:
        """Keep what handlers need."""
        self._site, self._pages = site, pages

    def routes(self) -> list[Route]:
        """Give the routes; a GET never answers, whoever asks."""
        return [
            Route("/s/{token}", self.show, methods=["GET"]),
            Route("/s/{token}", self.take, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the question, or thanks and what was answered."""
        opened = self._open(request)
        return opened if isinstance(opened, Response) else self._page(request, *opened)

    def take(self, request: Request) -> Response:
        """Take the answer of the form in, then show it; sent twice it counts once."""
        opened = self._open(request)
        if isinstance(opened, Response):
            return opened
        workspace, before = opened
        caller, invitation = caller_of(request), self._invitation(request, workspace)
        score = caller.form.get("score", "")
        try:
            number = int(score) if score.isascii() and len(score) < 4 else -1
            answer(
                workspace.state,
                invitation,
                number,
                caller.form.get("comment", ""),
                locale=caller.locale,
                now=caller.now,
            )
        except (InputError, ValueError):
            return self._page(request, workspace, before, problem=CHOOSE, status=400)
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
        path = f"/s/{request.path_params['token']}?lang={caller.locale}&done=1"
        return RedirectResponse(path, 303)

    def _open(self, request: Request) -> tuple[Workspace, Said] | Response:
        token = request.path_params["token"]
        workspace = workspace_of(self._site, token)
        if workspace is None:
            return refused(self._pages, request, 404)
        claim = workspace.links.read(Purpose.SURVEY, token)
        if claim.standing is not Standing.GENUINE or len(claim.texts) != 3:
            return refused(self._pages, request, STATUS.get(claim.standing, 400))
        try:
            found = said(workspace.state, *claim.texts, now=caller_of(request).now)
        except UnknownName:
            return refused(self._pages, request, 404)
        return workspace, found

    @staticmethod
    def _invitation(request: Request, workspace: Workspace) -> tuple[str, str, str]:
        claim = workspace.links.read(Purpose.SURVEY, request.path_params["token"])
        survey_id, customer_id, key = claim.texts
        return survey_id, customer_id, key

    def _page(
        self,
        request: Request,
        workspace: Workspace,
        found: Said,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        caller, survey = caller_of(request), found.survey
        words = Words()
        if survey.words:
            retailer = workspace.settings.retailer.locale
            words = survey.words[locale_for(caller.locale, survey.words, retailer)]
        wanted = request.query_params.get("score", "")
        chosen = found.score if found.score is not None else _number(wanted)
        return self._pages.page(
            request,
            "public/survey.html",
            status=status,
            shop=workspace.settings.retailer,
            found=found,
            chosen=chosen,
            scores=list(SCORES[survey.kind]),
            ends=ENDS[survey.kind],
            question=words.question,
            usual=QUESTION[survey.kind],
            comment=words.comment,
            usual_comment=COMMENT,
            thanks=words.thanks,
            usual_thanks=THANKS,
            problem=problem,
            is_done="done" in request.query_params,
        )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None
