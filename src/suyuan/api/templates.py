"""Templates to download: the same for everyone, so nobody is asked who they are."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from suyuan.errors import NotFoundError
from suyuan.sheets.choices import LANGUAGES
from suyuan.sheets.template_files import FORMATS, write_guide, write_template
from suyuan.sheets.templates import find_language, find_template, templates


@get("/api/v1/templates", tags=["papers"], sync_to_thread=False)
def read_templates() -> list[dict[str, object]]:
    """The templates for firms without electronic data interchange, with their titles in every language."""
    return [
        {
            "name": one.name,
            "reads": one.reads,
            "titles": {language: one.title(language) for language in LANGUAGES},
            "files": [f"/api/v1/templates/{one.name}.{form}" for form in FORMATS],
        }
        for one in templates().values()
    ]


@get("/api/v1/templates/{file:str}", tags=["papers"], sync_to_thread=True)
def read_template(
    file: FromPath[str], lang: FromQuery[str] = "en", guide: FromQuery[bool] = False
) -> Response[bytes]:
    """A template as ``NAME.xlsx`` or ``NAME.csv``, in ``?lang=`` zh-CN, en, ja, de or fr.

    ``?guide=true`` gives the guide alone as CSV, for those who fill in the CSV.
    """
    name, _, form = file.rpartition(".")
    if form not in FORMATS:
        raise NotFoundError(
            "template.format",
            "A template is an .xlsx or a .csv.",
            path="file",
            remedy="Ask for NAME.xlsx; /api/v1/templates lists them.",
        )
    template, language = find_template(name), find_language(lang)
    data = write_guide(template, language) if guide else write_template(template, language, form)
    title = f"{name}-guide-{language}.csv" if guide else f"{name}-{language}.{form}"
    return Response(
        data,
        media_type=FORMATS["csv" if guide else form],
        headers={
            "Content-Disposition": f'attachment; filename="{title}"',
            "Cache-Control": "public, max-age=3600",
        },
    )


ROUTES = (read_templates, read_template)
