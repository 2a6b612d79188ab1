from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PerformanceConfig(AppConfig):
    name = "performance"
    verbose_name = _("Performance")

    def ready(self) -> None:
        from core import events, navigation, tabs
        from partners import moves
        from partners.page import register_tab
        from performance import pages
        from performance.backtest import pages as backtests
        from performance.library import views as library_views
        from performance.partner_tab import partner_performance
        from performance.process import pages as process
        from performance.results.movements import movements_page
        from performance.results.pages import consequences_page, plan_page
        from performance.results.periods import periods_page
        from performance.results.scorecard import score_page
        from performance.schemes import pages as schemes

        events.register("performance.schemeversion.publish", _("Scheme published"), "rosette")
        events.register("performance.schemeversion.retire", _("Scheme retired"), "archive")
        events.register("performance.deduction.decide", _("Deduction decided"), "gavel")
        events.register("performance.deduction.reject", _("Deduction rejected"), "x")
        events.register("performance.consequence.agree", _("Elimination agreed"), "thumb-up")
        events.register("performance.consequence.decide", _("Consequence decided"), "gavel")
        events.register("performance.consequence.reject", _("Consequence rejected"), "x")
        events.register("performance.consequence.in_force", _("Consequence in force"), "flag")
        events.register("performance.consequence.told", _("Told of the decision"), "mail")
        events.register("performance.planaction.reminded", _("Reminded of the action"), "bell")
        events.register("performance.planaction.overdue", _("Told that it is overdue"), "bell")
        events.register(
            "performance.improvementplan.retest_due", _("Told that the re-test is due"), "mail"
        )
        events.register(
            "performance.improvementplan.retest", _("Improvement plan re-tested"), "checkup-list"
        )
        events.register("performance.improvementplan.cancel", _("Improvement plan cancelled"), "x")
        events.register("performance.evaluation.computed", _("Evaluation computed"), "calculator")
        events.register("performance.evaluation.failed", _("Evaluation failed"), "alert-triangle")
        events.register("performance.evaluation.publish", _("Evaluation published"), "rosette")
        events.register("performance.backtestreport.computed", _("Backtest computed"), "flask")
        events.register(
            "performance.backtestreport.attached",
            _("Backtest attached to its version"),
            "paperclip",
        )
        for verb, label, icon in (
            ("evaluation.close_ratings", _("Ratings closed"), "lock"),
            ("evaluation.open_ratings", _("Ratings opened again"), "lock-open"),
            ("evaluation.compute_again", _("Computed again"), "refresh"),
            ("evaluation.invited", _("Raters asked"), "user-plus"),
            ("evaluation.dismissed", _("Rater asked no more"), "user-minus"),
            ("evaluation.reminded", _("Raters reminded"), "bell"),
            ("evaluation.revised", _("Revision opened"), "git-branch"),
            ("evaluation.checked", _("Late facts checked"), "clock"),
            ("correction.accept", _("Change accepted"), "check"),
            ("correction.reject", _("Change rejected"), "x"),
            ("correction.withdraw", _("Change withdrawn"), "arrow-back-up"),
            ("appeal.take", _("Appeal taken on"), "user-check"),
            ("appeal.accept", _("Appeal accepted"), "check"),
            ("appeal.reject", _("Appeal rejected"), "x"),
            ("appeal.withdraw", _("Appeal withdrawn"), "arrow-back-up"),
            ("appeal.reminded", _("Reminded of the answer to an appeal"), "bell"),
        ):
            events.register(f"performance.{verb}", label, icon)
        navigation.register(
            navigation.Item(
                "performance",
                _("Performance"),
                "clipboard-check",
                "performance:evaluation_list",
                60,
                "performance.view_evaluation",
                group=2,
            ),
            *(
                navigation.Item(
                    f"performance.{page}",
                    label,
                    icon,
                    f"performance:{page}_list",
                    60 + order,
                    f"performance.view_{model}",
                    group=2,
                    under="performance",
                )
                for order, (page, model, label, icon) in enumerate(
                    (
                        ("matrix", "evaluation", _("Heat map"), "grid-dots"),
                        ("score", "score", _("Scores"), "clipboard-list"),
                        ("scheme", "scheme", _("Schemes"), "adjustments"),
                        ("measure", "derivedmeasure", _("Measures"), "ruler-measure"),
                        (
                            "evaluationschedule",
                            "evaluationschedule",
                            _("Schedules"),
                            "calendar-repeat",
                        ),
                        ("backtestreport", "backtestreport", _("Backtests"), "flask"),
                        ("correction", "correction", _("Changes in review"), "edit"),
                        ("appeal", "appeal", _("Appeals"), "scale"),
                        ("deduction", "deduction", _("Deductions"), "circle-minus"),
                        ("consequence", "consequence", _("Consequences"), "flag"),
                        (
                            "improvementplan",
                            "improvementplan",
                            _("Improvement plans"),
                            "checkup-list",
                        ),
                    ),
                    start=1,
                )
            ),
        )
        register_tab(
            tabs.Tab(
                "performance",
                _("Performance"),
                "performance/_partner.html",
                partner_performance,
                permission="performance.view_score",
                order=30,
            )
        )
        for label, template, context in (
            ("scheme", "_scheme", schemes.scheme_page),
            ("schemeversion", "_version", schemes.version_page),
            ("evaluation", "_evaluation", pages.evaluation_page),
            ("score", "_score", score_page),
            ("derivedmeasure", "_measure", library_views.derived_page),
            ("backtestreport", "_backtest", backtests.report_page),
            ("backtestresult", "_backtest_result", backtests.result_page),
            ("improvementplan", "_plan", plan_page),
        ):
            tabs.register(
                f"performance.{label}",
                tabs.Tab(
                    "overview", _("Overview"), f"performance/{template}.html", context, order=0
                ),
            )
        tabs.register(
            "performance.schemeversion",
            tabs.Tab(
                "backtests",
                _("Backtests"),
                "performance/_version_backtests.html",
                backtests.version_backtests,
                permission="performance.view_backtestreport",
                order=20,
            ),
        )
        moves.stays(
            "performance.backtestresult.partner",
            _("A backtest says what would have been, of the partners of that time."),
        )
        for order, (key, label, context, permission, applies) in enumerate(
            (
                ("ratings", _("Ratings"), "ratings_page", "rating", "takes_ratings"),
                ("review", _("Review"), "review_page", "correction", "has_review"),
                ("appeals", _("Appeals"), "appeals_page", "appeal", "has_appeals"),
                ("changes", _("What changed"), "changes_page", "scorechange", "is_revision"),
                ("late", _("Late facts"), "late_page", "scorechange", "is_published"),
            ),
            start=1,
        ):
            tabs.register(
                "performance.evaluation",
                tabs.Tab(
                    key,
                    label,
                    f"performance/_{key}.html",
                    getattr(process, context),
                    permission=f"performance.view_{permission}",
                    order=order * 10,
                    applies=getattr(process, applies),
                ),
            )
        for model in ("correction", "appeal", "scorechange"):
            moves.stays(
                f"performance.{model}.partner",
                _("What is about a score stays with the partner that got it."),
            )
        tabs.register(
            "performance.score",
            tabs.Tab("periods", _("Trend"), "performance/_periods.html", periods_page, order=10),
        )
        tabs.register(
            "performance.evaluation",
            tabs.Tab(
                "movements",
                _("Movements"),
                "performance/_movements.html",
                movements_page,
                permission="performance.view_score",
                order=20,
            ),
        )
        moves.stays(
            "performance.rating.partner",
            _("Ratings stay with the partner that was rated, as its scores do."),
        )
        tabs.register(
            "performance.evaluation",
            tabs.Tab(
                "consequences",
                _("Consequences"),
                "performance/_consequences.html",
                consequences_page,
                permission="performance.view_consequence",
                order=30,
            ),
        )
        moves.stays(
            "performance.consequence.partner",
            _("Consequences stay with the partner whose result they follow from."),
        )
        moves.stays(
            "performance.score.partner",
            _("Scores stay with the partner that got them; its page still shows them."),
        )
