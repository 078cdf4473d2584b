"""A dynamic label on its pack, and what an attacker puts in its place, as linear textures for one pose after another.

The texture covers a square of the label's plane. A code of dark ink lies on a white patch in the film, beside the
film, or on the film with only a thin white below it; around the label is the pack. What glitters is shaded anew for
every pose; ink, paper and the pack are matt. Attackers: a print of a photo of the label, such a print on mirror or
hologram foil, and a screen that shows the label as it was recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import cv2
import msgspec
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from suyuan.label.simulation.glitter import Facets, Film, facet_map, make_film, shine
from suyuan.label.simulation.optics import Camera, Floats, Light, Picture, Pose, Rays, diffuse, project, rays

Layout = Literal["around", "beside", "below", "on"]

TEXELS: Final = 512
QUIET: Final = 3  # modules of white around the code
INK: Final = 0.06  # of white paper
VEIL: Final = 0.4  # what the white below a code that is printed on the film lets through
COARSE: Final = 24  # nodes a side at which light on matt things is computed


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a label that stays: geometry in mm, its film, its ink."""

    uri: str
    size: int  # modules of the code
    module: float
    layout: Layout
    extent: float  # side of the textured square
    code_at: tuple[float, float]  # corner of the code's first module
    side: float  # of the film
    film_at: tuple[float, float]  # its middle
    facets: Facets
    index: NDArray[np.int32]  # facet of each texel of the film
    albedo: Floats  # (T, T, 3): paper, ink and pack, of white
    bare: Floats  # (T, T): how much of the film is seen where there is film, of 1


class Wear(msgspec.Struct, frozen=True):
    """What handling did to a label: where its film is scratched or dirty, (texels, texels), 1 is as new."""

    clean: Floats


def make_scene(
    uri: str, layout: Layout, film: Film, module: float, ratio: float, random: np.random.Generator
) -> Scene:
    """A label: ``ratio`` is the film's side over the code's."""
    modules = code_modules(uri)
    size = len(modules)
    code = size * module
    patch = code + 2 * QUIET * module
    side = max(code * ratio, patch + 8 * module) if layout == "around" else code * ratio
    offset = {
        "around": (0.0, 0.0),
        "on": (0.0, 0.0),
        "beside": ((patch + side) / 2 + 0.5, 0.0),
        "below": (0.0, (patch + side) / 2 + 0.5),
    }[layout]
    span = max(patch, side, *(abs(part) + (patch + side) / 2 for part in offset if part))
    extent = 1.25 * span
    code_middle = (-offset[0] / 2, -offset[1] / 2)
    film_at = (offset[0] / 2, offset[1] / 2)
    facets = make_film(film, side, random)
    texels = max(64, round(side / extent * TEXELS))
    albedo, bare = _printed(modules, module, code_middle, extent, layout, random)
    return Scene(
        uri=uri,
        size=size,
        module=module,
        layout=layout,
        extent=extent,
        code_at=(code_middle[0] - code / 2, code_middle[1] - code / 2),
        side=side,
        film_at=film_at,
        facets=facets,
        index=facet_map(facets.count, texels, random),
        albedo=albedo,
        bare=bare,
    )


def code_modules(uri: str) -> NDArray[np.bool_]:
    """The modules of the code of a URI, True for dark."""
    code = zxingcpp.create_barcode(uri, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    drawn = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    return np.asarray(drawn < 128)


def _printed(
    modules: NDArray[np.bool_],
    module: float,
    middle: tuple[float, float],
    extent: float,
    layout: Layout,
    random: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Albedo of paper, code and pack; and how bare the film lies."""
    density = TEXELS / extent
    pack = random.uniform(0.15, 0.8, 3).astype(np.float32)
    rough = cv2.resize(
        random.random((40, 40), dtype=np.float32), (TEXELS, TEXELS), interpolation=cv2.INTER_CUBIC
    )
    albedo = pack * (0.9 + 0.2 * rough[:, :, None])
    drawn = np.pad((~modules).astype(np.float32), QUIET, constant_values=1.0)
    drawn = np.kron(drawn, np.ones((8, 8), np.float32))
    scale = module * density / 8
    corner = [
        (middle[axis] - module * (len(modules) / 2 + QUIET) + extent / 2) * density for axis in range(2)
    ]
    to_texture = np.array(
        [[scale, 0, corner[0] + scale / 2 - 0.5], [0, scale, corner[1] + scale / 2 - 0.5]], np.float64
    )
    white = cv2.warpAffine(drawn, to_texture, (TEXELS, TEXELS), flags=cv2.INTER_AREA, borderValue=-1.0)
    inside = white >= 0
    paper = INK + (0.92 - INK) * np.clip(white, 0, 1)
    albedo = np.where(inside[:, :, None], paper[:, :, None], albedo)
    bare = np.where(inside, VEIL * np.clip(white, 0, 1) if layout == "on" else 0.0, 1.0)
    return albedo.astype(np.float32), bare.astype(np.float32)


def film_square(scene: Scene) -> tuple[slice, slice]:
    """Rows and columns of the texture that the film takes."""
    density = TEXELS / scene.extent
    texels = len(scene.index)
    left, top = (
        round((scene.film_at[axis] - scene.side / 2 + scene.extent / 2) * density) for axis in range(2)
    )
    return slice(top, top + texels), slice(left, left + texels)


def matt_light(scene: Scene, camera: Camera, pose: Pose, lights: Sequence[Light], distance: float) -> Floats:
    """Light on a matt white surface all over the texture, (T, T, 3)."""
    steps = (np.arange(COARSE) + 0.5) / COARSE * scene.extent - scene.extent / 2
    x, y = np.meshgrid(steps, steps)
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    light = diffuse(rays(points, camera, pose, distance), lights).reshape(COARSE, COARSE, 3)
    return np.asarray(cv2.resize(light, (TEXELS, TEXELS), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def label_texture(
    scene: Scene,
    camera: Camera,
    pose: Pose,
    lights: Sequence[Light],
    distance: float,
    bend: float = 0.0,
    wear: Wear | None = None,
) -> Floats:
    """The label itself in one pose."""
    light = matt_light(scene, camera, pose, lights, distance)
    texture = scene.albedo * light
    rows, columns = film_square(scene)
    found = facet_rays(scene, camera, pose, distance)
    slope = None
    if bend:
        slope = np.zeros_like(scene.facets.normals)
        slope[:, 0] = bend * (scene.facets.points[:, 0] + scene.film_at[0])
    glitter = shine(scene.facets, found, lights, slope)[scene.index]
    if wear is not None:
        glitter = glitter * wear.clean[:, :, None]
    film = glitter + scene.facets.film.base * light[rows, columns]
    texture[rows, columns] += (film - texture[rows, columns]) * scene.bare[rows, columns][:, :, None]
    return texture


def facet_rays(scene: Scene, camera: Camera, pose: Pose, distance: float) -> Rays:
    """Rays at the film's facets."""
    points = scene.facets.points + np.array(scene.film_at, np.float32)
    return rays(points, camera, pose, distance)


def worn(scene: Scene, amount: float, random: np.random.Generator) -> Wear:
    """Scratches and dirt; ``amount`` 1 is a label that went through many hands."""
    texels = len(scene.index)
    mask = np.zeros((texels, texels), np.uint8)
    for _ in range(int(random.poisson(14 * amount))):
        start = random.uniform(0, texels, 2)
        turn, length = random.uniform(0, 2 * np.pi), random.exponential(0.3) * texels
        tip = start + length * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(
            mask,
            (int(start[0]), int(start[1])),
            (int(tip[0]), int(tip[1])),
            int(random.integers(100, 255)),
            int(random.integers(1, 4)),
        )
    cloud = cv2.resize(
        random.random((9, 9), dtype=np.float32), (texels, texels), interpolation=cv2.INTER_CUBIC
    )
    dull = np.clip((cloud - 0.75) * 4 * amount, 0, 0.8)
    return Wear(np.asarray((1 - mask / 255.0) * (1 - dull), dtype=np.float32))


def printed_picture(
    scene: Scene, camera: Camera, pose: Pose, lights: Sequence[Light], distance: float, blur: float
) -> Floats:
    """What a forger prints: the film as photographed once, levelled to what ink can show, (texels, texels, 3)."""
    rows, columns = film_square(scene)
    seen = label_texture(scene, camera, pose, lights, distance)[rows, columns]
    soft = np.asarray(cv2.GaussianBlur(seen, (0, 0), max(0.3, blur * TEXELS / scene.extent)))
    bright = np.float32(np.percentile(soft, 97))
    return np.asarray(np.clip(soft / bright, 0.03, 1.0) ** 0.8 * 0.9, dtype=np.float32)


class Foil(msgspec.Struct, frozen=True, kw_only=True):
    """A foil that is bought by the roll: a mirror with a lobe, and gratings that repeat."""

    mirror: float  # of white paper
    lobe: float  # radians
    rainbow: float
    period: float  # micrometres
    turn: float  # radians; all grooves lie alike
    tile: float = 0.0  # mm; 0 is the same all over, else patches of turned grooves repeat


def print_texture(
    scene: Scene,
    picture: Floats,
    camera: Camera,
    pose: Pose,
    lights: Sequence[Light],
    distance: float,
    foil: Foil | None = None,
    bend: float = 0.0,
) -> Floats:
    """A print of the picture where the film should be: on matt paper, or in translucent ink on foil."""
    light = matt_light(scene, camera, pose, lights, distance)
    texture = scene.albedo * light
    rows, columns = film_square(scene)
    below = light[rows, columns]
    if foil is not None:
        below = 0.2 * below + _foil_light(scene, foil, camera, pose, lights, distance, bend)
    texture[rows, columns] += (picture * below - texture[rows, columns]) * scene.bare[rows, columns][
        :, :, None
    ]
    return texture


def _foil_light(
    scene: Scene,
    foil: Foil,
    camera: Camera,
    pose: Pose,
    lights: Sequence[Light],
    distance: float,
    bend: float,
) -> Floats:
    count = 72
    film = Film(facet=scene.side / count, lobe=foil.lobe, mirror_gain=foil.mirror, grating_gain=foil.rainbow)
    steps = (np.arange(count) + 0.5) / count * scene.side - scene.side / 2
    x, y = np.meshgrid(steps, steps)
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    turn = np.full(len(points), foil.turn)
    if foil.tile:
        turn = turn + (np.floor(points[:, 0] / foil.tile) + np.floor(points[:, 1] / foil.tile)) % 3 * (
            np.pi / 3
        )
    normals = np.zeros_like(points)
    normals[:, 0] = bend * (points[:, 0] + scene.film_at[0])
    both = Facets(
        film=film,
        count=count,
        points=points,
        normals=normals,
        across=np.column_stack([np.cos(turn), np.sin(turn)]).astype(np.float32),
        period=np.zeros(len(points), np.float32),
        amplitude=np.ones(len(points), np.float32),
    )
    found = rays(points + np.array(scene.film_at, np.float32), camera, pose, distance)
    light = shine(both, found, lights)
    grated = msgspec.structs.replace(both, period=np.full(len(points), foil.period, np.float32))
    light = (light + shine(grated, found, lights)).reshape(count, count, 3)
    texels = len(scene.index)
    return np.asarray(cv2.resize(light, (texels, texels), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A display laid where the label should be."""

    brightness: float  # its white, of paper under the torch
    falloff: float  # how fast it dims off its normal
    glare: float  # what its glass sends back of the torch
    gloss: float  # lobe of that reflection, radians
    pitch: float  # mm between pixels
    levels: float  # exponent of its response


def screen_texture(
    scene: Scene,
    shown: Floats,
    screen: Screen,
    camera: Camera,
    pose: Pose,
    lights: Sequence[Light],
    distance: float,
) -> Floats:
    """A display that shows a texture: it shines by itself, and its glass mirrors the lights."""
    dots = max(32, round(scene.extent / screen.pitch))
    shown = np.clip(shown / np.float32(max(float(np.percentile(shown[::3, ::3], 99.0)), 1e-6)), 0, 1)
    if dots < TEXELS:
        small = cv2.resize(shown, (dots, dots), interpolation=cv2.INTER_AREA)
        shown = np.asarray(cv2.resize(small, (TEXELS, TEXELS), interpolation=cv2.INTER_NEAREST), np.float32)
    level = np.asarray(cv2.convertScaleAbs(cv2.pow(shown, 1 / screen.levels), alpha=255), np.uint8)
    shone = ((np.arange(256) / 255) ** screen.levels).astype(np.float32)
    steps = (np.arange(COARSE) + 0.5) / COARSE * scene.extent - scene.extent / 2
    x, y = np.meshgrid(steps, steps)
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    found = rays(points, camera, pose, distance)
    dimmed = found.view[:, 2] ** screen.falloff
    glass = Facets(
        film=Film(lobe=screen.gloss, mirror_gain=screen.glare),
        count=COARSE,
        points=points,
        normals=np.zeros_like(points),
        across=np.zeros_like(points),
        period=np.zeros(len(points), np.float32),
        amplitude=np.ones(len(points), np.float32),
    )
    glare = shine(glass, found, lights) + 0.02 * diffuse(found, lights)
    size = (TEXELS, TEXELS)
    emitted = cv2.resize((screen.brightness * dimmed).reshape(COARSE, COARSE), size)[:, :, None]
    return np.asarray(
        shone[level] * emitted + cv2.resize(glare.reshape(COARSE, COARSE, 3), size), dtype=np.float32
    )


def take(texture: Floats, scene: Scene, camera: Camera, pose: Pose, bend: float = 0.0) -> Picture:
    """The linear picture of a texture."""
    return project(texture, TEXELS / scene.extent, -scene.extent / 2, camera, pose, bend)
