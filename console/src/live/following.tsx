import { PauseOutlined, PlayCircleOutlined } from "@ant-design/icons";
import { Badge, Button } from "antd";
import { useTranslation } from "react-i18next";

interface Props {
  connected: boolean;
  paused: boolean;
  pause: (paused: boolean) => void;
}

/** Whether changes are followed now, and the button that pauses it. */
export function Following({ connected, paused, pause }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <Badge
        status={paused ? "default" : connected ? "processing" : "warning"}
        text={t(paused ? "live.paused" : connected ? "live.connected" : "live.connecting")}
      />
      <span className="push" />
      <Button icon={paused ? <PlayCircleOutlined /> : <PauseOutlined />} onClick={() => pause(!paused)}>
        {t(paused ? "live.go_on" : "live.pause")}
      </Button>
    </>
  );
}
