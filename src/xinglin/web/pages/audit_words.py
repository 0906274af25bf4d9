"""The audit log's codes in words: what was done, to what."""

from __future__ import annotations

from typing import Final

from xinglin.web.i18n import mark

ACTIONS: Final = {
    "read": mark("查看"), "search": mark("查询"), "list": mark("列出"), "reveal": mark("显示完整号码"), "export": mark("导出"), "print": mark("打印"),
    "create": mark("新建"), "write": mark("保存"), "update": mark("修改内容"), "delete": mark("删除"), "change": mark("更改设置"), "import": mark("导入"), "load": mark("装载"),
    "replay": mark("重放"), "discard": mark("作废"), "assign": mark("指定或下达"), "merged": mark("合并"), "split": mark("拆分"), "different": mark("不是同一人"),
    "undo": mark("撤销"), "withdraw": mark("撤回"), "decide": mark("作出结论"), "draw": mark("抽样"), "answer": mark("填写核查"), "verify": mark("核对"),
    "sign_in": mark("登录"), "sign_out": mark("退出"), "switch_role": mark("换岗"), "change_password": mark("修改密码"), "reset_password": mark("重置密码"),
    "enter_code": mark("输入验证码"), "remove_second_factor": mark("取消动态验证码"), "revoke_session": mark("结束登录"), "give_role": mark("授予岗位"),
    "end_role": mark("收回岗位"), "disable": mark("停用"), "enable": mark("启用"), "set_up": mark("初始化"), "advance": mark("推进日期"),
    "vread": mark("查看历史版本"), "history": mark("查看历史"), "erase": mark("抹除"), "end": mark("结束"), "look": mark("读入文件"),
    "enrol_second_factor": mark("启用动态验证码"),
    "upload": mark("上传文件"), "make": mark("成立草稿"), "describe": mark("改规划信息"), "fill": mark("按读取更新"), "carry": mark("沿用上一版"), "approve": mark("批准"), "correct": mark("更正读取"), "bind": mark("绑定口径"), "enter": mark("录入数值"), "task": mark("更新任务"), "milestone": mark("更新节点"), "finding": mark("处理发现"), "sheet": mark("上传表格"),
    "set-path": mark("设定路径"), "set-owner": mark("指定责任单位"), "set-reason": mark("写原因和措施"), "take-back": mark("撤回数值"), "approved": mark("批准数值"), "refused": mark("退回数值"),
    "sheet-taken": mark("导入表格"), "sheet-undone": mark("撤销导入"),
}  # fmt: skip
SUBJECTS: Final = {
    "resident": mark("居民"), "person": mark("居民"), "account": mark("账号"), "audit": mark("审计日志"), "roles": mark("岗位与权限"), "message": mark("报文"),
    "quarantine": mark("待处理"), "source": mark("数据来源"), "upper": mark("上级平台"), "upper_mapping": mark("列对应"), "identity_review": mark("居民主索引"),
    "worklist": mark("工作名单"), "followup": mark("随访"), "measure": mark("指标"), "measures": mark("指标"), "finding": mark("真实性核查"), "sample": mark("抽样核查"),
    "targets": mark("任务数"), "demonstration": mark("演示系统"), "plan": mark("规划"), "reminders": mark("我的提醒"),
    "population": mark("人口"), "disease-control": mark("疾控指标"), "Patient": mark("居民档案"), "Encounter": mark("就诊或随访"), "Observation": mark("测量值"),
    "Condition": mark("诊断"), "QuestionnaireResponse": mark("表单"), "EpisodeOfCare": mark("纳入管理"), "/residents": mark("居民档案"), "/desk": mark("工作名单"), "/verification": mark("真实性核查"),
    "/measures/people": mark("指标人员名单"), "/measures/tasks": mark("任务进度"), "/measures/workload": mark("工作量统计"), "/verification/samples": mark("抽查"),
    "/verification/samples/list": mark("抽查名单"), "/system/accounts": mark("账号"), "/system/audit": mark("审计日志"), "/system/runs": mark("运行情况"),
    "/exchange/messages": mark("报文"),
}  # fmt: skip
