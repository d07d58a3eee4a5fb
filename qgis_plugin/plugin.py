"""The plugin: what QGIS loads at its start. It adds an action and the provider; the dock comes when asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.gui import QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from .compat import QAction
from .later import Later
from .provider import Provider
from .words import tr

engine = Later("engine")
ICON = Path(__file__).parent / "resources" / "icon.svg"


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page in QGIS's options when they are opened."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self._plugin = plugin
        self.setTitle(tr("Phrase Segmentation"))
        self.setIcon(QIcon(str(ICON)))

    def createWidget(self, parent: Any) -> Any:
        """Return the page."""
        return import_module(".options", __package__).OptionsPage(parent, self._plugin.engine_changed)


class Plugin:
    """Lives as long as it is switched on."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: Provider | None = None
        self.action: QAction | None = None
        self.options: OptionsFactory | None = None
        self.dock: Any = None

    def initProcessing(self) -> None:
        """Add the provider; qgis_process calls only this."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Add provider and action."""
        self.initProcessing()
        self.action = QAction(QIcon(str(ICON)), tr("Phrase Segmentation"), self.iface.mainWindow())
        self.action.setCheckable(True)
        self.action.setObjectName("rrsisAction")
        self.action.triggered.connect(self.show)
        self.iface.addRasterToolBarIcon(self.action)
        self.iface.addPluginToRasterMenu(tr("Phrase Segmentation"), self.action)
        self.options = OptionsFactory(self)
        self.iface.registerOptionsWidgetFactory(self.options)

    def show(self, visible: bool = True) -> None:
        """Show or hide the dock; the first time, make it."""
        if self.dock is None and visible:
            self.dock = import_module(".dock", __package__).Dock(self.iface)
            self.dock.visibilityChanged.connect(self.action.setChecked)
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        if self.dock is not None:
            self.dock.setVisible(visible)

    def engine_changed(self) -> None:
        """Start the other engine, if there is a dock that waits for it."""
        if self.dock is not None:
            self.dock.start_engine()

    def unload(self) -> None:
        """Take away what was added, in reverse order, and end the engine."""
        if self.dock is not None:
            self.dock.shut()
            self.iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = None
        engine.ENGINE.close()
        if self.options is not None:
            self.iface.unregisterOptionsWidgetFactory(self.options)
            self.options = None
        if self.action is not None:
            self.iface.removePluginRasterMenu(tr("Phrase Segmentation"), self.action)
            self.iface.removeRasterToolBarIcon(self.action)
            self.action.deleteLater()
            self.action = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
