"""Refusals in both languages: the reason and what to do now, by the error's stable code.

English is what the error itself says. Chinese is kept here for the codes that people meet in the console; for any
other the family's line stands, and the English reason beside it, since a reason in a foreign language is better than
none.
"""

from __future__ import annotations

from suyuan.console.frame import Words
from suyuan.errors import SuyuanError
from suyuan.parties.passwords import MAX_LENGTH, MIN_LENGTH
from suyuan.parties.sessions_attempts import HeldError

_PASSWORD_TIP = "几个互不相干的词连在一起，既好记又安全。"  # noqa: S105 - a tip, no password
_CHINESE: dict[str, tuple[str, str]] = {
    "console.form.origin": ("这份表单不是本控制台的页面发来的。", "请在这里打开页面，重新提交。"),
    "console.form.stale": ("表单所在的页面已经过期。", "请重新载入页面；如已退出，请先登录。"),
    "console.form.size": ("表单内容过大。", "请减少内容后再提交。"),
    "console.form.unreadable": ("表单无法读取。", "请重新载入页面，再试一次。"),
    "console.page.unknown": ("没有这个页面。", "请检查地址，或从首页开始。"),
    "console.finding.gone": ("这条异常已经不存在：缺少的单证可能已经补齐。", "请查看异常列表。"),
    "trace.thing.unknown": ("没有这个对象的记录，或不在贵方可见范围内。", "请核对编号后再搜索。"),
    "trace.bundle.none": ("还没有可以证明的已发布记录。", "记录入库约一秒后发布，请稍后再试。"),
    "vault.token.unknown": ("这个页面的网址已经失效。", "请重新查询。"),
    "vault.number.unknown": ("没有可以查看的号码，可能已被删除。", ""),
    "issuing.batch.unknown": ("没有这个码批次，或不属于贵方。", "请从标签页选择批次。"),
    "http.method": ("这个地址不接受这种请求。", ""),
    "http.request": ("这个请求无法读取。", ""),
    "http.body.too_large": ("内容过大。", ""),
    "db.lost": ("数据库暂时没有响应。", "请稍后再试。"),
    "db.contended": ("数据库正忙。", "请稍后再试。"),
    "internal": ("系统内部出错。", "请再试一次；如仍出错，请把编号告诉运营方。"),
    "user.name.form": ("用户名为 2 至 63 个小写字母、数字、点、连字符或下划线。", ""),
    "user.exists": ("这个用户名已经存在。", "请换一个；用户名在整个系统中唯一。"),
    "user.unknown": ("没有这个用户。", ""),
    "user.role.unknown": ("没有这个角色。", ""),
    "station.role": ("装箱台供保税仓使用。", "请运营方给贵方授予保税仓角色。"),
    "user.role.missing": ("您的角色不能打开这个页面。", "本企业的管理员可以给您相应的角色。"),
    "user.last_admin": ("这是本企业最后一位管理员。", "请先指定另一位管理员。"),
    "user.link.dead": ("这个链接无效，或已经失效。", "链接只能使用一次，且有时限。请向管理员索取新的链接。"),
    "user.password.length": (f"密码须有 {MIN_LENGTH} 至 {MAX_LENGTH} 个字符。", _PASSWORD_TIP),
    "user.password.weak": ("密码只是重复少数字符或用户名。", _PASSWORD_TIP),
    "user.password.repeat": ("两次输入的密码不一致。", "请重新输入。"),
    "user.password.wrong": ("当前密码不正确。", "请重新输入。"),
    "user.totp.wrong": ("验证码不正确，或已经用过。", "请输入应用中正在显示的验证码；也请检查手机的时间。"),
    "user.sign_in.wrong": ("用户名或密码不正确。", "请重新输入；忘记密码请找管理员重置。"),
}


def explained(error: SuyuanError) -> tuple[Words, Words]:
    """Reason and remedy of an error, in both languages."""
    if isinstance(error, HeldError):
        return (
            Words("失败的尝试过多。", error.reason),
            Words(f"请在 {error.minutes} 分钟后再试。", error.remedy),
        )
    reason, remedy = _CHINESE.get(error.code, ("", ""))
    return Words(reason or error.reason, error.reason), Words(remedy or error.remedy, error.remedy)
